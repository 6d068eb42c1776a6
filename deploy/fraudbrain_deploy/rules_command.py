"""`fraudbrain rules`: rules and policy, checked against their scenario."""

import argparse
import sys

from fraudbrain_deploy.deployment import add_deployment_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing to do with rules."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check a folder; exit code 1: there are problems, all are shown")
    check.add_argument("scenario", metavar="DIR", help="the folder, or the name of a built-in scenario")
    check.set_defaults(action=_check)
    publish = commands.add_parser(
        "publish",
        help="make rules and policy live on every worker, without a restart",
        description="Checks the rules and the policy that stand in a folder against the deployed scenario, publishes "
        "them, and waits until each running worker says that they are live. Exit code 1: a worker did not.",
    )
    publish.add_argument("folder", metavar="DIR", help="a whole scenario, or its name; its rules.toml and policy.toml")
    publish.add_argument("--reason", required=True, metavar="TEXT", help="why; kept with the rules")
    publish.add_argument("--version", metavar="NAME", help="stands on every decision (default: a hash of the rules)")
    add_deployment_arguments(publish)
    publish.set_defaults(action=_publish)


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


def _publish(arguments: argparse.Namespace) -> int:
    from getpass import getuser

    from fraudbrain_deploy.deployment import open_deployment
    from fraudbrain_deploy.publication import publish, rule_set, wait_live
    from fraudbrain_deploy.spaces import require
    from fraudbrain_shared.scenario import load_scenario

    deployment = open_deployment(arguments)
    require(deployment)
    rules = rule_set(load_scenario(arguments.folder), arguments.version, author=getuser(), reason=arguments.reason)
    publish(deployment, rules)
    answers = wait_live(deployment, rules.version)
    print(f"{rules.version}: {len(rules.rules)} rules, {len(rules.policy)} clauses published")
    for worker, live in sorted(answers.items()):
        print(f"  {worker}: {'live' if live else 'not live: see its log and `problems` in progress'}")
    if not answers:
        print("  no worker is running; each takes them up at its start")
    return 0 if all(answers.values()) else 1
