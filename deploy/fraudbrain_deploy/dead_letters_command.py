"""`fraudbrain dead-letters`: what could not be decided, why, and another try."""

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fraudbrain_deploy.deployment import add_deployment_arguments

if TYPE_CHECKING:
    from fraudbrain_deploy.dead_letters import Selection
    from fraudbrain_deploy.dead_letters_replay import Replayed
    from fraudbrain_deploy.deployment import Deployment

_RATE = 100.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing to do with dead letters."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser(
        "list",
        help="how many for which reason, and the newest",
        description="Counts the dead letters by reason and shows the newest. Nothing of their payload is shown.",
    )
    listing.add_argument("--limit", type=_count, default=20, metavar="N", help="of those shown (default: 20)")
    listing.set_defaults(action=_list)

    show = commands.add_parser(
        "show",
        help="one of them, whole",
        description="All that is told of one dead letter. Its payload, key and headers may hold card numbers: they "
        "are shown with --payload only, else their sizes.",
    )
    show.add_argument("place", type=_place, metavar="PARTITION/OFFSET", help="as `list` shows it")
    show.add_argument("--payload", action="store_true", help="show what may hold card numbers")
    show.set_defaults(action=_show)

    replay = commands.add_parser(
        "replay",
        help="send their events again, each once",
        description="Sends the original bytes under the original key to the topic `events`, oldest first, with the "
        "header `replay.of`. An event is not sent if it has a decision, was replayed before, or would be refused "
        "again: so the same command twice sends nothing twice, also when it was killed on the way. Exit code 1: "
        "some are in the hands of another run.",
    )
    replay.add_argument("--limit", type=_count, metavar="N", help="look at the N oldest only (default: all)")
    replay.add_argument("--rate", type=_rate, default=_RATE, metavar="N", help=f"events/s (default: {_RATE:g})")
    replay.add_argument("--dry-run", action="store_true", help="say what would be sent, and send nothing")
    replay.add_argument("--yes", action="store_true", help="do not ask before sending")
    replay.set_defaults(action=_replay)

    for command in (listing, replay):
        command.add_argument("--reason", action="append", default=[], metavar="R", help="may be given several times")
        command.add_argument("--since", type=_time_ms, metavar="TIME", help="put aside then, such as 2026-07-01T12:00")
        command.add_argument("--until", type=_time_ms, metavar="TIME", help="put aside before; both UTC")
        command.add_argument("--version", metavar="V", help="by a worker of this build, or with these rules or model")
    for command in (listing, show, replay):
        command.add_argument("--json", action="store_true", help="for programs")
        add_deployment_arguments(command)


def run(arguments: argparse.Namespace) -> int:
    """Runs the chosen subcommand."""
    from fraudbrain_deploy.deployment import open_deployment
    from fraudbrain_deploy.spaces import require

    deployment = open_deployment(arguments)
    require(deployment)
    return int(arguments.action(deployment, arguments))


def _list(deployment: "Deployment", arguments: argparse.Namespace) -> int:
    from collections import Counter, deque

    from fraudbrain_deploy import dead_letters_display
    from fraudbrain_deploy.dead_letters import Letter, Stray, read_letters

    counts: Counter[str] = Counter()
    newest: deque[Letter] = deque(maxlen=arguments.limit)
    strays: deque[Stray] = deque(maxlen=arguments.limit)
    for each in read_letters(deployment, _selection(arguments)):
        if isinstance(each, Stray):
            strays.append(each)
        else:
            counts[each.told.reason] += 1
            newest.append(each)
    shown = dead_letters_display.list_json if arguments.json else dead_letters_display.page
    print(shown(counts, newest, strays))
    return 0


def _show(deployment: "Deployment", arguments: argparse.Namespace) -> int:
    from fraudbrain_deploy import dead_letters_display
    from fraudbrain_deploy.dead_letters import read_letter

    letter = read_letter(deployment, *arguments.place)
    shown = dead_letters_display.letter_json if arguments.json else dead_letters_display.whole
    print(shown(letter, with_payload=arguments.payload))
    return 0


def _replay(deployment: "Deployment", arguments: argparse.Namespace) -> int:
    from fraudbrain_deploy import dead_letters_display
    from fraudbrain_deploy.dead_letters_replay import Fate

    is_asked_for = arguments.yes and not arguments.dry_run
    would = None if is_asked_for else _run(deployment, arguments, is_dry=True)
    if would is None or _agreed(deployment, arguments, would):
        told, is_dry = _run(deployment, arguments, is_dry=False), False
    else:
        told, is_dry = would, True
    shown = dead_letters_display.replayed_json if arguments.json else dead_letters_display.replayed
    print(shown(told, is_dry=is_dry))
    return 1 if told.counts.get(Fate.IN_HAND) else 0


def _agreed(deployment: "Deployment", arguments: argparse.Namespace, would: "Replayed") -> bool:
    """Whether to go on after the dry run. Raises UserError where nobody can be asked."""
    from fraudbrain_deploy.asking import agreed
    from fraudbrain_deploy.dead_letters_replay import Fate

    count = would.counts.get(Fate.SENT, 0)
    if arguments.dry_run or not count:
        return False
    return agreed(f"Send {count:,} events again to {deployment.names.topic('events')}?")


def _run(deployment: "Deployment", arguments: argparse.Namespace, *, is_dry: bool) -> "Replayed":
    import os
    import secrets
    import time
    from itertools import islice

    from fraudbrain_deploy.dead_letters import Letter, read_letters
    from fraudbrain_deploy.dead_letters_replay import CHUNK, Replayer
    from fraudbrain_deploy.dead_letters_stack import DecidedEvents, EventsTopic, HBaseNotes
    from fraudbrain_deploy.hbase import Table

    thrift, names = deployment.stack.thrift_address, deployment.names
    found = (each for each in read_letters(deployment, _selection(arguments)) if isinstance(each, Letter))
    with (
        Table(thrift, names.table("meta")) as meta,
        Table(thrift, names.table("decisions")) as decisions,
        EventsTopic(deployment, arguments.rate) as events,
    ):
        replayer = Replayer(
            deployment.scenario,
            decided=DecidedEvents(deployment, decisions),
            notes=HBaseNotes(meta),
            events=events,
            now_ms=lambda: time.time_ns() // 1_000_000,
            run=f"{os.getpid()}-{secrets.token_hex(4)}",
            events_topic=names.topic("events"),
        )
        return replayer.take(
            islice(found, arguments.limit),
            is_dry=is_dry,
            chunk=max(1, min(CHUNK, int(arguments.rate))),
            on_turn=_tell,
        )


def _tell(told: "Replayed") -> None:
    """One line that rewrites itself, where somebody is watching."""
    if sys.stderr.isatty():
        print(f"\r\033[K{sum(told.counts.values()):,} dead letters looked at", end="\r", file=sys.stderr, flush=True)


def _selection(arguments: argparse.Namespace) -> "Selection":
    from fraudbrain_deploy.dead_letters import Selection
    from fraudbrain_deploy.errors import UserError
    from fraudbrain_shared.records import Reason

    if unknown := sorted(set(arguments.reason) - set(Reason)):
        raise UserError(f"There is no reason {unknown[0]}.", f"The reasons are {', '.join(Reason)}.")
    reasons = frozenset(Reason(each) for each in arguments.reason)
    return Selection(reasons, arguments.since, arguments.until, arguments.version)


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"a number above 0, not {text!r}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= 1_000_000:
        raise argparse.ArgumentTypeError(f"events per second, such as 100, not {text!r}")
    return rate


def _place(text: str) -> tuple[int, int]:
    partition, _, offset = text.partition("/")
    if not (partition.isdigit() and offset.isdigit()):
        raise argparse.ArgumentTypeError(f"a place such as 0/17, not {text!r}")
    return int(partition), int(offset)


def _time_ms(text: str) -> int:
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a time such as 2026-07-01T12:00, not {text!r}") from error
    return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp() * 1000)
