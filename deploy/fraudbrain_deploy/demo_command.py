"""`fraudbrain demo`: see the whole platform run on this machine."""

import argparse
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fraudbrain_deploy.demo import DemoReport

SPACE = "cards"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.description = (
        "Brings up Kafka and HBase, starts the fast and the slow tier, replays a simulated history of card payments, "
        f"decides payments live, and accounts for every one. The space `{SPACE}` is emptied first. Everything is "
        "stopped at the end, also by Ctrl-C at any time; the data stay. Exit code 1: the books do not balance."
    )
    parser.add_argument("--events-per-s", type=_positive, default=500.0, metavar="N", help="live payments (default: 500)")
    parser.add_argument("--seconds", type=_positive, default=30.0, metavar="N", help="of the live stretch (default: 30)")
    parser.add_argument("--keep-running", action="store_true", help="stop only at Ctrl-C, to look around before")


def run(arguments: argparse.Namespace) -> int:
    """Runs the demo; 0 if its books balance, else 1."""
    from fraudbrain_deploy import demo
    from fraudbrain_deploy.deployment import open_deployment
    from fraudbrain_deploy.stack import choose_settings
    from fraudbrain_deploy.steps import Steps

    arguments.scenario, arguments.space = "cards", SPACE
    deployment = open_deployment(arguments, stack=choose_settings(arguments.data))
    steps = Steps()
    wishes = demo.Wishes(events_per_s=arguments.events_per_s, live_s=arguments.seconds)
    with closing(demo.run(deployment, wishes, steps)) as running:
        report = next(running)
        file = _write(report, arguments)
        print(_page(report))
        if arguments.keep_running:
            _wait_for_interruption()
    print(f"\nThe whole report: {file}\n{_next_commands(report, arguments)}")
    return 0 if report.balanced else 1
