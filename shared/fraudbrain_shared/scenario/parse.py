"""From the files of a folder to a scenario: all problems of all files at once, or a scenario that is sound."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Final

from fraudbrain_shared.scenario.context_table import read_context
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.events_file import read_event_types
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.features_file import read_derived, read_profile
from fraudbrain_shared.scenario.import_file import read_import
from fraudbrain_shared.scenario.model_file import read_model
from fraudbrain_shared.scenario.parameters_file import read_parameters
from fraudbrain_shared.scenario.problems import Problem, ScenarioError, nearest
from fraudbrain_shared.scenario.rules import rule_faults
from fraudbrain_shared.scenario.rules_file import read_policy, read_rules
from fraudbrain_shared.scenario.scenario_file import read_head
from fraudbrain_shared.scenario.table import Table
from fraudbrain_shared.scenario.toml import TomlFile

REQUIRED: Final = ("scenario.toml", "events.toml")
FILES: Final = (
    *REQUIRED,
    "features.toml",
    "parameters.toml",
    "rules.toml",
    "policy.toml",
    "model.toml",
    "import.toml",
)
# What expressions read from where: if a file cannot be read, its names are broken, not unknown.
_NAMES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "events.toml": ("event.", "context."),
    "features.toml": ("profile.", "context.", "derived."),
    "parameters.toml": ("param.",),
    "rules.toml": ("finding.",),
}


def parse_scenario(files: Mapping[str, bytes]) -> Scenario:
    """The scenario that the TOML files, by name, describe. Raises ScenarioError with all problems."""
    problems = [*_missing_files(files), *_unknown_files(files)]
    expressions = ExpressionCheck()
    tables = _read_files(files, problems, expressions)
    scenario = _read_scenario(tables, problems, expressions)
    if problems:
        order = {name: place for place, name in enumerate(FILES)}
        raise ScenarioError(sorted(problems, key=lambda each: (order.get(each.file, -1), each.line, each.column)))
    return replace(scenario, version=version_of(files))


def version_of(files: Mapping[str, bytes]) -> str:
    """The scenario's version: a hash that changes with any name and any byte of its files."""
    digest = sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()[:16]


def _missing_files(files: Mapping[str, bytes]) -> list[Problem]:
    return [Problem(name, "the file is missing", "every scenario has one") for name in REQUIRED if name not in files]


def _unknown_files(files: Mapping[str, bytes]) -> list[Problem]:
    return [Problem(name, "no file of a scenario", nearest(name, FILES)) for name in files if name not in FILES]


def _read_files(
    files: Mapping[str, bytes], problems: list[Problem], expressions: ExpressionCheck
) -> dict[str, Table | None]:
    """Each file as a table: an empty one if it is missing, None if it cannot be read."""
    tables: dict[str, Table | None] = {}
    for name in FILES:
        try:
            tables[name] = Table(TomlFile(name, files.get(name, b"")), problems)
        except ScenarioError as error:
            problems += error.problems
            tables[name] = None
        if tables[name] is None or (name in REQUIRED and name not in files):
            tables[name] = None
            for beginning in _NAMES_OF.get(name, ()):
                expressions.mark_all_broken(beginning)
    return tables


def _read_scenario(
    tables: Mapping[str, Table | None], problems: list[Problem], expressions: ExpressionCheck
) -> Scenario:
    """The scenario as far as it can be read; whether it is sound, `problems` tells.

    Each step reads what the steps before it have declared.
    """
    head_table, events, features, parameters, rules_table, policy_table, model, importing = map(tables.get, FILES)
    event_types = read_event_types(events, expressions) if events else {}
    head = read_head(head_table, event_types, expressions) if head_table else None
    scenario = Scenario(
        name=head.name if head else "",
        version="",
        subject=head.subject if head else "",
        event_types=event_types,
        profile=read_profile(features, event_types, expressions) if features else {},
        derived={},
        parameters=read_parameters(parameters, event_types, expressions) if parameters else {},
        rules=(),
        policy=(),
        money=head.money if head else None,
        importing=read_import(importing, event_types, expressions) if importing else None,
        description=head.description if head else "",
        context=read_context(features, event_types, expressions) if features else {},
    )
    if features:
        scenario = replace(scenario, derived=read_derived(features, scenario, expressions))
        features.close()
    if model:
        scenario = replace(scenario, model=read_model(model, scenario, expressions))
    rules = read_rules(rules_table) if rules_table else []
    if not all(rule.name for rule, _ in rules):
        expressions.mark_all_broken("finding.")
    policy = read_policy(policy_table) if policy_table else []
    scenario = replace(scenario, rules=tuple(rule for rule, _ in rules), policy=tuple(clause for clause, _ in policy))
    for fault in rule_faults(scenario, scenario.rules, scenario.policy, passed_over=expressions.is_passed_over):
        table = rules[fault.index][1] if fault.part == "rule" else policy[fault.index][1]
        if fault.key == "when":
            table.note_inside("when", fault.offset, fault.length, fault.cause, fault.hint)
        elif scenario.rules[fault.index].name:  # a missing name was noted when it was read
            table.note(fault.cause, fault.hint, key="name")
    return scenario
