"""Beginning a new epoch: what it will do is told, the question asked, then it is done.

Cheap to import, since the help of two commands needs the options.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fraudbrain_deploy.options import time_ms

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment
    from fraudbrain_deploy.epochs import Epochs


def add_raising_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of whatever begins an epoch: --since and --yes."""
    parser.add_argument(
        "--since",
        type=_since,
        metavar="TIME",
        help="from which event time on the log is whole, such as 2026-07-01T12:00 (UTC), or `beginning`; what reaches "
        "back beyond is unknown (default: the log's beginning, or what retention has left of it)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before")


def begin(
    deployment: "Deployment",
    epochs: "Epochs",
    chosen: Sequence[str] | None,
    arguments: argparse.Namespace,
    *,
    as_json: bool = False,
) -> int:
    """Raises the epochs of the chosen groups, None being all; the command's exit code.

    Raises UserError as `raised` and `raise_epochs` do.
    """
    import msgspec

    from fraudbrain_deploy import epochs_display
    from fraudbrain_deploy.asking import agreed
    from fraudbrain_deploy.epochs import raise_epochs, raised, refold

    found = refold(deployment)
    log, groups = raised(epochs, chosen, found.since if arguments.since is None else arguments.since)
    if not as_json:
        print(epochs_display.plan(epochs, log, groups, found), flush=True)
    if not arguments.yes and not agreed("Begin the new epoch?"):
        return 1
    raise_epochs(deployment, epochs, log, groups)
    done = "Done. Start the workers: they begin with the log's first event."
    print(msgspec.json.encode({"log": log, "groups": groups, "refold": found}).decode() if as_json else done)
    return 0


def _since(text: str) -> int:
    return 0 if text == "beginning" else time_ms(text)
