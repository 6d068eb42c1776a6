"""`fraudbrain decisions`: look one up, and prove that none is missing."""

import argparse
import sys
from typing import TYPE_CHECKING

from fraudbrain_deploy.deployment import add_deployment_arguments
from fraudbrain_deploy.display import status_line

if TYPE_CHECKING:
    from fraudbrain_deploy.accounting import Reconciliation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    get = actions.add_parser(
        "get",
        help="why was this event decided so?",
        description="The decision of one event, from the slow tier's table. Exit code 1: it is not there (yet).",
    )
    get.add_argument("event_id", metavar="EVENT_ID")
    get.add_argument("--subject", required=True, metavar="X", help="the event's subject, such as the card")
    get.add_argument("--reveal", action="store_true", help="in JSON: what is sensitive, too")
    reconcile = actions.add_parser(
        "reconcile",
        help="prove that every event ended in exactly one way",
        description="Reads events, decisions and dead letters whole and accounts for every offset. Events that "
        "were not decided yet count as missing. Exit code 0: the books balance; 1: they do not.",
    )
    for action in (get, reconcile):
        add_deployment_arguments(action)
        action.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Runs the action; 1 where the answer is no."""
    return _get(arguments) if arguments.action == "get" else _reconcile(arguments)


def _get(arguments: argparse.Namespace) -> int:
    import msgspec

    from fraudbrain_deploy.deployment import open_deployment
    from fraudbrain_deploy.explanation import champion_of, explain, look_up
    from fraudbrain_shared.masking import Mask

    deployment = open_deployment(arguments)
    found = look_up(deployment, subject=arguments.subject, event_id=arguments.event_id)
    decision = found.decision if found else None
    if arguments.json:
        shown = found if arguments.reveal or found is None else found.masked(Mask(deployment.scenario))
        print(msgspec.json.encode(shown).decode())
    elif decision:
        print(explain(deployment.scenario, decision, champion_of(deployment, decision)))
    elif found:
        print("The event is known, its decision is not archived yet. Ask again in some seconds.", file=sys.stderr)
    else:
        print(
            "The slow tier knows no such event of this subject. It follows the fast tier by seconds while it runs; "
            "look at --subject and --space, too.",
            file=sys.stderr,
        )
    return 0 if decision else 1


def _reconcile(arguments: argparse.Namespace) -> int:
    import msgspec

    from fraudbrain_deploy.reconcile import reconcile
    from fraudbrain_deploy.spaces import open_space

    found = reconcile(open_space(arguments), _tell)
    print(msgspec.json.encode(found).decode() if arguments.json else _table(found))
    return 0 if found.balanced else 1


def _tell(topic: str, count: int) -> None:
    status_line(f"{topic}: {count:,} records read")


def _table(found: "Reconciliation") -> str:
    numbers = [(name, value) for name in found.__struct_fields__ if isinstance(value := getattr(found, name), int)]
    return "\n".join([*(f"{name.replace('_', ' '):>15}  {value:>12,}" for name, value in numbers), found.verdict()])
