"""Beginning a new epoch: what it will do is told, the question asked, then it is done."""

from collections.abc import Sequence

import msgspec

from fraudbrain_deploy import epochs_display
from fraudbrain_deploy.asking import agreed
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.epochs import Epochs, raise_epochs, raised, refold


def begin(
    deployment: Deployment, epochs: Epochs, chosen: Sequence[str] | None, *, asks: bool, as_json: bool = False
) -> int:
    """Raises the epochs of the chosen groups, None being all; the command's exit code.

    Raises UserError as `raised` and `raise_epochs` do.
    """
    log, groups = raised(epochs, chosen)
    found = refold(deployment)
    if not as_json:
        print(epochs_display.plan(epochs, log, groups, found), flush=True)
    if asks and not agreed("Begin the new epoch?"):
        return 1
    raise_epochs(deployment, epochs, log, groups)
    done = "Done. Start the workers: they begin with the log's first event."
    print(msgspec.json.encode({"log": log, "groups": groups, "refold": found}).decode() if as_json else done)
    return 0
