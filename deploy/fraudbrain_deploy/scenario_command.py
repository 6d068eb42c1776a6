"""`fraudbrain scenario`: what a scenario reads and folds, and who uses it."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fraudbrain_deploy.epoch_raising import add_raising_arguments
from fraudbrain_deploy.options import at_least_one

if TYPE_CHECKING:
    from fraudbrain_shared.scenario.usage import ConditionUse, EventUse, FeatureUse, NameUse, ScenarioUse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing to do with a scenario."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    show = commands.add_parser("show", help="what is read, folded and derived, used by whom, and what nobody uses")
    show.add_argument("scenario", metavar="NAME", help="a built-in scenario, or the folder of another")
    show.add_argument("--json", action="store_true", help="as JSON")
    show.set_defaults(action=_show)
    reference = commands.add_parser("reference", help="every file, table and key of a scenario, as Markdown")
    reference.set_defaults(action=_reference)
    deploy = commands.add_parser(
        "deploy",
        help="make the scenario's space ready: its topics, and one group's new epoch where folds changed",
        description="Creates the topics that the space lacks. Names the groups whose profiles were folded otherwise "
        "than this scenario folds; with --group, begins that group's new epoch, its workers being stopped. Harmless "
        "to repeat.",
    )
    deploy.add_argument("scenario", metavar="NAME", help="a built-in scenario, or the folder of another")
    deploy.add_argument("--space", help="prefix of its topics and tables (default: the scenario's name)")
    deploy.add_argument(
        "--partitions", type=at_least_one, default=4, metavar="N", help="of topics by subject (default: 4)"
    )
    deploy.add_argument("--group", metavar="G", help="begin a new epoch for this group of workers if it needs one")
    add_raising_arguments(deploy)
    deploy.set_defaults(action=_deploy)


def run(arguments: argparse.Namespace) -> int:
    """Runs the chosen subcommand."""
    return int(arguments.action(arguments))


def _deploy(arguments: argparse.Namespace) -> int:
    from fraudbrain_deploy.scenario_deploy import deploy

    return deploy(arguments)


def _reference(arguments: argparse.Namespace) -> int:
    from fraudbrain_shared.scenario.reference import reference

    sys.stdout.write(reference())
    return 0


def _show(arguments: argparse.Namespace) -> int:
    import msgspec

    from fraudbrain_shared.scenario import load_scenario
    from fraudbrain_shared.scenario.usage import usage

    shown = usage(load_scenario(arguments.scenario))
    if arguments.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(shown)).decode() + "\n")
    else:
        print("\n".join(page(shown)))
    return 0


def page(shown: "ScenarioUse") -> Iterator[str]:
    """The lines of the page about a scenario."""
    yield f"{shown.name}, version {shown.version}"
    if shown.description:
        yield shown.description
    for event in shown.events:
        yield from _event_lines(event)
    if shown.profile:
        yield from ("", f"profile features, folded for each {shown.subject}")
    for feature in shown.profile:
        yield from _feature_lines(feature)
    if shown.context:
        yield from ("", "context features, folded for each entity by the slow tier")
    for feature in shown.context:
        yield from _feature_lines(feature)
    yield from _section("derived features", _rows(shown.derived, "="))
    yield from _section("parameters", _rows(shown.parameters, ""))
    rules = [line for rule in shown.rules for line in (_titled(rule), f"    {_one_line(rule.when)}")]
    yield from _section("rules", rules)
    clauses = [f"  {at}. {each.name} when {_one_line(each.when)}" for at, each in enumerate(shown.policy, 1)]
    yield from _section("policy, the first that holds, else approve", clauses)
    yield from ("", f"read by no expression: {', '.join(shown.unused) or 'nothing, all is used'}")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _titled(rule: "ConditionUse") -> str:
    about = f"  {rule.name}: {rule.description}" if rule.description else f"  {rule.name}"
    return about if rule.cost is None else f"{about} (estimated cost {rule.cost})"


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", title, *lines)


def _event_lines(event: "EventUse") -> Iterator[str]:
    yield from ("", f"event {event.name}, {f'decided within {event.deadline}' if event.decided else 'folded only'}")
    yield from _rows(event.fields, "")


def _feature_lines(feature: "FeatureUse") -> Iterator[str]:
    where = f" where {feature.where}" if feature.where else ""
    records = "labels" if feature.on == "label" else f"events of {feature.on}"
    folded = f"{feature.value} of {feature.on}" if feature.value else records
    yield f"  {feature.name}: {folded}{where}, {feature.span} (id {feature.id})"
    yield from (f"  {row}" for row in _rows(feature.reads, None))


def _rows(names: "Sequence[NameUse]", sign: str | None) -> list[str]:
    """A line for each name with its type, what it is (not if `sign` is None) and its users."""
    width = max((len(each.name) for each in names), default=0)
    kinds = max((len(each.type) for each in names), default=0)
    rows = []
    for each in names:
        about = f"{sign} {each.about}".strip() if sign is not None else ""
        row = f"  {each.name:{width}}  {each.type:{kinds}}  {about}".rstrip()
        rows.append(f"{row}  ← {', '.join(each.used_by)}" if each.used_by else row)
    return rows
