"""`fraudbrain parameters`: the numbers that rules use, and how each came to be."""

import argparse
from typing import TYPE_CHECKING

from fraudbrain_deploy.deployment import add_deployment_arguments
from fraudbrain_deploy.display import shown_time
from fraudbrain_deploy.options import time_ms

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment
    from fraudbrain_deploy.replaying.controls_log import Hold, Move


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing to see."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    show = commands.add_parser(
        "show",
        help="the effective values",
        description="Each parameter's effective value, and those of the entities for which it stands elsewhere: a "
        "person's word, else a value that has not expired, else where it starts.",
    )
    show.add_argument("name", nargs="?", metavar="PARAMETER", help="only this one")
    show.add_argument(
        "--as-of", type=time_ms, metavar="TIME", help="event time, as 2026-07-01T12:00 UTC (default: the slow tier's)"
    )
    show.set_defaults(action=_show)
    history = commands.add_parser("history", help="each move with its evidence, in the order of publication")
    history.add_argument("name", nargs="?", metavar="PARAMETER", help="only this one")
    history.add_argument("--id", metavar="ID", help="only of this entity, such as a terminal")
    history.set_defaults(action=_history)
    for command in (show, history):
        command.add_argument("--json", action="store_true", help="for programs")
        command.add_argument("--reveal", action="store_true", help="ids that are about a person, too, and whole")
        add_deployment_arguments(command)


def run(arguments: argparse.Namespace) -> int:
    """Runs the chosen subcommand."""
    from fraudbrain_deploy.errors import UserError
    from fraudbrain_deploy.spaces import open_space

    deployment = open_space(arguments)
    known = deployment.scenario.parameters
    if arguments.name is not None and arguments.name not in known:
        raise UserError(f"The scenario has no parameter {arguments.name}.", f"It has {', '.join(known)}.")
    return int(arguments.action(deployment, arguments))


def _show(deployment: "Deployment", arguments: argparse.Namespace) -> int:
    import msgspec

    from fraudbrain_deploy.parameters import clock_ms, effective
    from fraudbrain_shared.masking import Mask

    as_of_ms = arguments.as_of if arguments.as_of is not None else clock_ms(deployment)
    found = [each for each in effective(deployment, as_of_ms) if arguments.name in (None, each.name)]
    if not arguments.reveal:
        mask = Mask(deployment.scenario)
        found = [msgspec.structs.replace(each, id=mask.parameter_id(each.name, each.id)) for each in found]
    if arguments.json:
        print(msgspec.json.encode(found).decode())
        return 0
    print(f"as of {shown_time(as_of_ms)}\n")
    width = max(len(each.name) for each in found) if found else 0
    for each in found:
        until = f", until {shown_time(each.expires_at)}" if each.expires_at else ""
        start = "" if each.value == each.start else f", starts at {each.start:g}"
        print(f"{each.name:{width}}  {each.id or '–':12}  {each.value:>12g}  {each.why}{until}{start}")
    return 0


def _history(deployment: "Deployment", arguments: argparse.Namespace) -> int:
    from fraudbrain_deploy.parameters import as_json, history, masked
    from fraudbrain_shared.masking import Mask

    records = history(deployment, arguments.name, arguments.id)
    if not arguments.reveal:
        records = masked(records, Mask(deployment.scenario))
    if arguments.json:
        print(as_json(records).decode())
        return 0
    print("\n".join(map(_line, records)) or "nothing has moved yet")
    return 0


def _line(entry: "Move | Hold") -> str:
    from fraudbrain_deploy.replaying.controls_log import Hold

    if isinstance(entry, Hold):
        hold = entry.record
        said = "taken back" if hold is None else f"{hold.action} {hold.value or ''} by {hold.author}: {hold.reason}"
        return f"{shown_time(entry.append_ms)}  {entry.key}  {said}"
    move = entry.record
    evidence = ", ".join(f"{name} {number:g}" for name, number in move.evidence.items())
    scale = f" for {move.release}" if move.release else ""
    return (
        f"{shown_time(move.tick)}  {move.name} {move.id or '–'}  {move.previous:g} → {move.value:g}{scale}  "
        f"{move.cause} ({evidence})"
    )
