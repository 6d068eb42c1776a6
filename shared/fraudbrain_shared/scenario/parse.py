"""From the files of a folder to a scenario: all problems of all files at once, or a scenario that is sound."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Final, TypeVar

from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.events_file import EventsFile, read_event_types
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.features_file import FeaturesFile, read_features
from fraudbrain_shared.scenario.import_file import ImportFile, read_import
from fraudbrain_shared.scenario.model_file import ModelFile, read_model
from fraudbrain_shared.scenario.parameters_file import ParametersFile, read_parameters
from fraudbrain_shared.scenario.problems import Problem, ScenarioError, nearest
from fraudbrain_shared.scenario.rules import rule_faults
from fraudbrain_shared.scenario.rules_file import PolicyFile, RulesFile, read_policy, read_rules
from fraudbrain_shared.scenario.scenario_file import ScenarioFile, read_head
from fraudbrain_shared.scenario.table import Table
from fraudbrain_shared.scenario.toml import TomlFile

T = TypeVar("T", bound=Table)

FILES: Final[Mapping[str, type[Table]]] = {
    "scenario.toml": ScenarioFile,
    "events.toml": EventsFile,
    "features.toml": FeaturesFile,
    "parameters.toml": ParametersFile,
    "rules.toml": RulesFile,
    "policy.toml": PolicyFile,
    "model.toml": ModelFile,
    "import.toml": ImportFile,
}
"""The files of a scenario, in the order in which people read them."""

REQUIRED: Final = ("scenario.toml", "events.toml")
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
    scenario = _read_scenario(_read_files(files, problems, expressions), problems, expressions)
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
) -> dict[str, TomlFile]:
    """Each file that can be read; one that is missing is an empty one, if it may be missing."""
    found: dict[str, TomlFile] = {}
    for name in FILES:
        try:
            if name in files or name not in REQUIRED:
                found[name] = TomlFile(name, files.get(name, b""))
        except ScenarioError as error:
            problems += error.problems
        if name not in found:
            for beginning in _NAMES_OF.get(name, ()):
                expressions.mark_all_broken(beginning)
    return found


def _read_scenario(files: Mapping[str, TomlFile], problems: list[Problem], expressions: ExpressionCheck) -> Scenario:
    """The scenario as far as it can be read; whether it is sound, `problems` tells.

    Each step reads what the steps before it have declared.
    """

    def opened(file: type[T]) -> T | None:
        name = next(name for name, each in FILES.items() if each is file)
        return file(files[name], problems) if name in files else None

    types = read_event_types(each, expressions) if (each := opened(EventsFile)) else {}
    scenario = Scenario("", "", "", types, profile={}, derived={}, parameters={}, rules=(), policy=())
    if head_file := opened(ScenarioFile):
        head = read_head(head_file, types, expressions)
        scenario = replace(
            scenario,
            name=head.name,
            subject=head.subject,
            description=head.description,
            money=head.money,
            holdout=head.holdout,
        )
    if parameters := opened(ParametersFile):
        scenario = replace(scenario, parameters=read_parameters(parameters, types, expressions))
    if importing := opened(ImportFile):
        scenario = replace(scenario, importing=read_import(importing, types, expressions))
    if features := opened(FeaturesFile):
        scenario = read_features(features, scenario, expressions)
    if model := opened(ModelFile):
        scenario = replace(scenario, model=read_model(model, scenario, expressions))
    return _with_rules(scenario, opened(RulesFile), opened(PolicyFile), expressions)


def _with_rules(
    scenario: Scenario, rules_file: RulesFile | None, policy_file: PolicyFile | None, expressions: ExpressionCheck
) -> Scenario:
    rules = read_rules(rules_file) if rules_file else []
    if not all(rule.name for rule, _ in rules):
        expressions.mark_all_broken("finding.")
    policy = read_policy(policy_file) if policy_file else []
    scenario = replace(scenario, rules=tuple(rule for rule, _ in rules), policy=tuple(clause for clause, _ in policy))
    for fault in rule_faults(scenario, scenario.rules, scenario.policy, passed_over=expressions.is_passed_over):
        table = rules[fault.index][1] if fault.part == "rule" else policy[fault.index][1]
        if fault.key == "when":
            table.note_inside("when", fault.offset, fault.length, fault.cause, fault.hint)
        elif scenario.rules[fault.index].name:  # a missing name was noted when it was read
            table.note(fault.cause, fault.hint, key="name")
    return scenario
