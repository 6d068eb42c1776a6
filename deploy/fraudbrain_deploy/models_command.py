"""`fraudbrain models`: which models there are, and which one decides."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Final

from fraudbrain_deploy.deployment import add_deployment_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fraudbrain_deploy.registry import Registry, Version

PROMOTER_S: Final = 30.0
_ASK_EVERY_S: Final = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing to do with models."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listed = commands.add_parser("list", help="all registered versions, the newest first")
    listed.add_argument("--json", action="store_true", help="for programs")
    listed.set_defaults(action=_list)
    moves = "Moves the alias `champion` in the registry and waits until the promoter has published the version or "
    moves += "refused it. Exit code 1: it did not go live."
    promote = commands.add_parser("promote", help="let a version decide", description=moves)
    promote.add_argument("version", metavar="VERSION", help="its number in the registry, or the release's own version")
    promote.set_defaults(action=_promote)
    rollback = commands.add_parser(
        "rollback", help="let the version decide that was live before the present one", description=moves
    )
    rollback.set_defaults(action=_rollback)
    for command in (listed, promote, rollback):
        add_deployment_arguments(command)


def run(arguments: argparse.Namespace) -> int:
    """Runs the chosen subcommand."""
    from fraudbrain_deploy.deployment import open_deployment
    from fraudbrain_deploy.registry import Registry

    return int(arguments.action(arguments, Registry(open_deployment(arguments))))


def _list(arguments: argparse.Namespace, registry: "Registry") -> int:
    import msgspec

    versions = registry.versions()
    print(msgspec.json.encode(versions).decode() if arguments.json else _table(versions))
    return 0


def _promote(arguments: argparse.Namespace, registry: "Registry") -> int:
    from fraudbrain_deploy.errors import UserError

    versions = registry.versions()
    wished = next((each for each in versions if arguments.version in (str(each.number), each.release)), None)
    if wished is None:
        raise UserError(f"There is no version {arguments.version}.", "`fraudbrain models list` shows those there are.")
    return _go_live(registry, wished, live_version(versions))


def _rollback(_: argparse.Namespace, registry: "Registry") -> int:
    from fraudbrain_deploy.errors import UserError

    versions = registry.versions()
    earlier = version_before(versions)
    if earlier is None:
        raise UserError("No version was live before the champion.", "`fraudbrain models list` shows those there are.")
    return _go_live(registry, earlier, live_version(versions))


def version_before(versions: "Sequence[Version]") -> "Version | None":
    """The newest version older than the champion that has been live, so that a second rollback goes further back."""
    champion = next((each.number for each in versions if each.is_champion), None)
    live = [each for each in versions if each.published_ms is not None and each.refused is None]
    return max(
        (each for each in live if champion is not None and each.number < champion),
        key=lambda each: each.number,
        default=None,
    )


def _go_live(registry: "Registry", wished: "Version", live: "Version | None") -> int:
    """Moves the alias and waits for what the promoter makes of it. What is live already needs no promoter."""
    registry.set_champion(wished)
    if live is not None and live.number == wished.number:
        print(f"{wished.release} ({wished.number}) is live and the champion")
        return 0
    deadline = time.monotonic() + PROMOTER_S
    while time.monotonic() < deadline:
        now = next(each for each in registry.versions() if each.number == wished.number)
        if now.refused is not None:
            print(f"{now.release} ({now.number}) was refused: {now.refused}", file=sys.stderr)
            return 1
        if now.published_ms != wished.published_ms:
            print(f"{now.release} ({now.number}) is published; the workers decide with it from now on")
            return 0
        time.sleep(_ASK_EVERY_S)
    print(
        f"{wished.release} ({wished.number}) is the champion in the registry, but no promoter has published it within "
        f"{PROMOTER_S:.0f} s. It is `python -m fraudbrain_offline promote --follow`; it takes it up when it runs.",
        file=sys.stderr,
    )
    return 1


def live_version(versions: "Sequence[Version]") -> "Version | None":
    """The one that was published last, and so stands on the topic."""
    published = [each for each in versions if each.published_ms is not None]
    return max(published, key=lambda each: each.published_ms or 0, default=None)


def _table(versions: "Sequence[Version]") -> str:
    if not versions:
        return "no model is registered yet"
    lines = [f"{'number':>6}  {'version':22}  {'AP':>5}  {'AUC':>5}  state"]
    for each in versions:
        measures = (each.metrics.get(name) for name in ("average_precision", "auc_roc"))
        shown = "  ".join(f"{'–' if value is None else f'{value:.3f}':>5}" for value in measures)
        lines.append(f"{each.number:>6}  {each.release:22}  {shown}  {_state(each)}")
    return "\n".join(lines)


def _state(version: "Version") -> str:
    parts = ["champion"] if version.is_champion else []
    if version.refused is not None:
        parts.append(f"refused: {version.refused}")
    elif version.published_ms is not None:
        parts.append(f"published {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(version.published_ms / 1000))} UTC")
    return ", ".join(parts)
