"""`fraudbrain rules`: rules and policy, checked against their scenario, published, rolled back."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fraudbrain_deploy.deployment import add_deployment_arguments

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment
    from fraudbrain_shared.records import RuleSet

_CODES = (
    "Exit code 0: every running worker has confirmed, or none runs, or the version is live already; 1: a worker has "
    "refused or did not answer in time; 2: nothing was published."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing to do with rules."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check a folder; exit code 1: there are problems, all are shown")
    check.add_argument("scenario", metavar="DIR", help="the folder, or the name of a built-in scenario")
    check.set_defaults(action=_check)

    publish = commands.add_parser(
        "publish",
        help="make rules and policy live on every worker, without a restart",
        description="Checks the rules.toml and the policy.toml of a folder against the deployed scenario, publishes "
        "them, and waits until each running worker has confirmed. They act on events appended 2 s after the record or "
        f"later, on all workers alike. {_CODES}",
    )
    publish.add_argument("folder", nargs="?", metavar="DIR", help="a whole scenario (default: that of --scenario)")
    add_deployment_arguments(publish, scenario=None)
    publish.set_defaults(action=_publish)

    rollback = commands.add_parser(
        "rollback",
        help="make an earlier version live again",
        description=f"Publishes an earlier version from the history again, and waits as `publish` does. {_CODES}",
    )
    rollback.add_argument("version", nargs="?", metavar="VERSION", help="from `history` (default: the one before)")
    add_deployment_arguments(rollback)
    rollback.set_defaults(action=_rollback)

    for command in (publish, rollback):
        command.add_argument("--why", required=True, metavar="TEXT", help="the reason; kept with the rules")
        command.add_argument("--by", metavar="NAME", help="who answers for it (default: the user of this machine)")
        command.add_argument("--timeout", type=float, default=15.0, metavar="S", help="for the workers (default: 15)")
        command.add_argument("--json", action="store_true", help="the answer as JSON, and nothing else")

    history = commands.add_parser("history", help="all versions: when, who, why, and which is live")
    history.add_argument("--json", action="store_true", help="for programs; with the rules themselves")
    add_deployment_arguments(history)
    history.set_defaults(action=_history)


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
    from fraudbrain_deploy.errors import UserError
    from fraudbrain_deploy.publication import rule_set
    from fraudbrain_deploy.spaces import open_space
    from fraudbrain_shared.scenario.load import find_scenario, load_scenario

    folder = arguments.folder or arguments.scenario
    if folder is None:
        raise UserError("Whose rules?", "Name a folder, or the deployed scenario with --scenario.")
    arguments.scenario = arguments.scenario or folder
    deployment = open_space(arguments)
    rules = rule_set(load_scenario(folder), author=_author(arguments), reason=arguments.why)
    return _go_live(deployment, find_scenario(folder), rules, arguments)


def _rollback(arguments: argparse.Namespace) -> int:
    import msgspec

    from fraudbrain_deploy.spaces import open_space

    deployment = open_space(arguments)
    earlier = _earlier(deployment, arguments.version)
    rules = msgspec.structs.replace(earlier, author=_author(arguments), reason=arguments.why, is_rollback=True)
    return _go_live(deployment, deployment.folder, rules, arguments)


def _history(arguments: argparse.Namespace) -> int:
    from fraudbrain_deploy import rules_display
    from fraudbrain_deploy.rules_history import current, history
    from fraudbrain_deploy.spaces import open_space

    deployment = open_space(arguments)
    entries = history(deployment)
    shown = rules_display.as_json if arguments.json else rules_display.page
    print(shown(entries, current(entries, deployment.scenario)))
    return 0


def _author(arguments: argparse.Namespace) -> str:
    from fraudbrain_deploy.publication import machine_user

    return str(arguments.by or machine_user())


def _earlier(deployment: "Deployment", version: str | None) -> "RuleSet":
    from fraudbrain_deploy.errors import UserError
    from fraudbrain_deploy.rules_history import before, history

    entries = history(deployment)
    if version is None:
        earlier = before(entries)
        if earlier is None:
            raise UserError("No rules were live before the present ones.", "`fraudbrain rules history` shows all.")
        return earlier
    for each in reversed(entries):
        if each.rules.version == version:
            return each.rules
    raise UserError(f"No rules of version {version} were ever published.", "`fraudbrain rules history` shows all.")


def _go_live(deployment: "Deployment", folder: Path, rules: "RuleSet", arguments: argparse.Namespace) -> int:
    """Publishes what is not live already, and waits for the workers."""
    from fraudbrain_deploy.confirmation import confirm, running
    from fraudbrain_deploy.deployed_release import refuse_another
    from fraudbrain_deploy.progress import ProgressReader
    from fraudbrain_deploy.publication import send
    from fraudbrain_deploy.rules_display import display
    from fraudbrain_deploy.rules_history import current, history

    shown = display(as_json=arguments.json)
    with ProgressReader(deployment) as progress:
        told = progress.read_to_end()
        refuse_another(deployment, folder, running(told))
        live = current(history(deployment), deployment.scenario)
        if live is not None and live.rules.version == rules.version:
            shown.live_already(live)
            return 0
        sent = send(deployment, rules)
        shown.sent(rules)
        answers = confirm(progress, told, sent, arguments.timeout, shown.waiting)
    shown.answered(sent, answers)
    return 0 if all(each.state == "confirmed" for each in answers) else 1
