"""The engines side by side: each with a set of rules and the cases made ready, in its fastest documented form.

Every rule is evaluated on every case by all of them. The others give one boolean for each, ours the names of those that
fire.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from fraudbrain_deploy.bench.rules.cases import EVENT_TYPE, Case, named_values
from fraudbrain_deploy.bench.rules.dialects import CEL, ZEN, Dialect, plain_name, translated
from fraudbrain_shared.expressions import Type
from fraudbrain_shared.records import RuleSet
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.rules import check_rules, compile_rules
from fraudbrain_shared.scenario.scope import rule_scope
from fraudbrain_shared.testing.alternating import Work

OURS: Final = "ours"
ZEN_ENGINE: Final = "zen-engine"
CEL_CPP: Final = "cel-expr-python"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An engine that is ready. `whole` evaluates all cases as a caller would; `inputs` does the same with the rule
    `true` alone: what it costs to hand the values over. `answers` are the findings of each case."""

    name: str
    version: str
    answers: Callable[[], list[list[bool]]]
    whole: Work
    inputs: Work | None = None


class Disagreement(Exception):
    """Two engines find something else on the same event: their times say nothing."""


def ours(scenario: Scenario, rules: RuleSet, cases: Sequence[Case]) -> Prepared:
    """Our own: one generated function. Its values need no handing over."""
    judge = compile_rules(scenario, rules).judges[EVENT_TYPE]
    calls = [each.arguments() for each in cases]

    def whole() -> None:
        for fields, time, profile, context, derived, param in calls:
            judge(fields, time, profile, context, derived, param, None)

    def answers() -> list[list[bool]]:
        found = (set(judge(*each, None)[1]) for each in calls)
        return [[rule.name in fired for rule in rules.rules] for fired in found]

    return Prepared(OURS, version("fraudbrain-shared"), answers, whole)


def zen(scenario: Scenario, rules: RuleSet, cases: Sequence[Case]) -> Prepared:
    """Compiled once, one array of all rules; the values as a flat dict. JSON text would be read a tenth faster, if
    somebody had written it."""
    engine: Any = import_module("zen")
    expression, nothing = engine.compile_expression(_list(rules, ZEN)), engine.compile_expression("true")
    given = _values(scenario, rules, cases)
    return Prepared(
        ZEN_ENGINE,
        version(ZEN_ENGINE),
        lambda: [expression.evaluate(each) for each in given],
        lambda: [expression.evaluate(each) for each in given],
        lambda: [nothing.evaluate(each) for each in given],
    )


def cel(scenario: Scenario, rules: RuleSet, cases: Sequence[Case]) -> Prepared:
    """Type-checked and compiled once, one list of all rules; the values by name, read back as plain ones."""
    module: Any = import_module("cel_expr_python.cel")
    types = {
        Type.INT: module.Type.INT,
        Type.DOUBLE: module.Type.DOUBLE,
        Type.STRING: module.Type.STRING,
        Type.BOOL: module.Type.BOOL,
    }
    scope = rule_scope(scenario, scenario.event_types[EVENT_TYPE])
    names = {plain_name(path): types[scope[path].type] for path in _paths(scenario, rules)}
    environment = module.NewEnv(variables=names)
    expression, nothing = environment.compile(_list(rules, CEL)), environment.compile("true")
    given = _values(scenario, rules, cases)
    return Prepared(
        CEL_CPP,
        version(CEL_CPP),
        lambda: [expression.eval(data=each).plain_value() for each in given],
        lambda: [expression.eval(data=each).plain_value() for each in given],
        lambda: [nothing.eval(data=each).plain_value() for each in given],
    )


PEERS: Final[Mapping[str, Callable[[Scenario, RuleSet, Sequence[Case]], Prepared]]] = {ZEN_ENGINE: zen, CEL_CPP: cel}


def refuse_disagreement(engines: Sequence[Prepared], rules: RuleSet) -> int:
    """How often a rule fired, over all cases. Raises Disagreement unless all engines find the same."""
    first = engines[0].answers()
    for other in engines[1:]:
        for number, (mine, theirs) in enumerate(zip(first, other.answers(), strict=True)):
            if mine != theirs:
                place = next(at for at, pair in enumerate(zip(mine, theirs, strict=True)) if pair[0] != pair[1])
                rule = rules.rules[place]
                said = f"{engines[0].name} says {mine[place]}, {other.name} {theirs[place]!r}"
                raise Disagreement(f"case {number}, rule {rule.name}: {said}: {rule.when}")
    return sum(map(sum, first))


def _list(rules: RuleSet, dialect: Dialect) -> str:
    return f"[{', '.join(translated(each.when, dialect) for each in rules.rules)}]"


def _paths(scenario: Scenario, rules: RuleSet) -> list[str]:
    """What the rules read, and nothing else: nobody hands over more."""
    return sorted(check_rules(scenario, rules.rules, ()).reads)


def _values(scenario: Scenario, rules: RuleSet, cases: Sequence[Case]) -> list[dict[str, object]]:
    paths = _paths(scenario, rules)
    named = (named_values(scenario, each, paths) for each in cases)
    return [{plain_name(path): value for path, value in each.items()} for each in named]
