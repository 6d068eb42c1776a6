"""`fraudbrain rules`: rules and policy, checked against their scenario."""

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing to do with rules."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check a folder; exit code 1: there are problems, all are shown")
    check.add_argument("scenario", metavar="DIR", help="the folder, or the name of a built-in scenario")
    check.set_defaults(action=_check)


def run(arguments: argparse.Namespace) -> int:
    """Runs the chosen subcommand."""
    return int(arguments.action(arguments))


def _check(arguments: argparse.Namespace) -> int:
    from fraudbrain_shared.scenario import ScenarioError, load_scenario

    try:
        scenario = load_scenario(arguments.scenario)
    except ScenarioError as error:
        count = len(error.problems)
        print(f"{error}\n\n{count} problem{'s' if count > 1 else ''} in {arguments.scenario}", file=sys.stderr)
        return 1
    sizes = f"{len(scenario.rules)} rules, {len(scenario.policy)} clauses"
    print(f"{scenario.name} {scenario.version}: {sizes}, no problem")
    return 0
