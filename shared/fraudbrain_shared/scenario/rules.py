"""Rules and policy: checked as one against a scenario, then compiled into one function per type of event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from fraudbrain_shared.expressions import (
    Clause,
    Expression,
    ExpressionErrors,
    Generated,
    Judge,
    Scope,
    Type,
    bind,
    check,
    generate_judge,
)
from fraudbrain_shared.records import ClauseText, Outcome, RuleSet, RuleText
from fraudbrain_shared.scenario.description import EventType, Scenario
from fraudbrain_shared.scenario.expression_check import POLICY_SOURCES, RULE_SOURCES, Reasons, explained
from fraudbrain_shared.scenario.feature_functions import compile_derived
from fraudbrain_shared.scenario.names import fault_of_name
from fraudbrain_shared.scenario.problems import Problem, ScenarioError
from fraudbrain_shared.scenario.scope import SCORE, policy_scope, rule_scope

__all__ = [
    "CheckedRules",
    "CompiledRules",
    "GeneratedRules",
    "RuleFault",
    "Verdict",
    "bind_rules",
    "check_rules",
    "compile_derived",
    "compile_rules",
    "generate_rules",
    "rule_faults",
]


MAX_SET_COST: Final = 100_000
"""Units (see `expressions/cost.py`) of a whole rule set on one event: some milliseconds where nothing is spared."""


@dataclass(frozen=True, slots=True)
class RuleFault:
    """What is wrong with the `index`-th rule or clause: with its name, or with `length` characters
    from `offset` on in its condition."""

    part: Literal["rule", "outcome"]
    index: int
    key: Literal["name", "when"]
    cause: str
    hint: str = ""
    offset: int = 0
    length: int = 1


@dataclass(frozen=True, slots=True)
class TypeExpressions:
    """The conditions as they are for one type of event: of the rules by name, of the clauses in order."""

    rules: dict[str, Expression]
    clauses: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class CheckedRules:
    """Rules and policy that fit a scenario, for each type of event that is decided."""

    rules: tuple[RuleText, ...]
    policy: tuple[ClauseText, ...]
    by_type: dict[str, TypeExpressions]

    @property
    def reads(self) -> frozenset[str]:
        """The names that any rule or clause reads on any type of event."""
        return frozenset().union(
            *(each.reads for parts in self.by_type.values() for each in (*parts.rules.values(), *parts.clauses))
        )


class GeneratedRules(NamedTuple):
    """A checked rule set as code: what `CompiledRules` says, with the judges not bound yet."""

    reads: frozenset[str]
    judges: dict[str, Generated]


Verdict: TypeAlias = tuple[Outcome, tuple[str, ...]]
"""What the policy made of the findings, and why it could not be sure."""


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """A rule set that runs.

    For each type of event that is decided `judges` has a function of (event, event_time, profile, context, derived,
    param, score). It gives the verdict, that of the first clause that holds or cannot be known, else to approve; and
    the names of the rules that fired, that are unknown, and that failed. A clause that is unknown only because there
    is no score, since no model was ever published, does not apply.
    """

    reads: frozenset[str]
    judges: dict[str, Judge]


def check_rules(scenario: Scenario, rules: Sequence[RuleText], policy: Sequence[ClauseText]) -> CheckedRules:
    """The rules with the trees of their conditions. Raises ScenarioError with all problems."""
    if faults := rule_faults(scenario, rules, policy):
        raise ScenarioError(_problem(fault, rules, policy) for fault in faults)
    names = [rule.name for rule in rules]
    by_type = {}
    for event_type in _decided(scenario):
        scope, clause_scope = rule_scope(scenario, event_type), policy_scope(scenario, event_type, names)
        by_type[event_type.name] = TypeExpressions(
            {rule.name: check(rule.when, scope, Type.BOOL) for rule in rules},
            tuple(check(clause.when, clause_scope, Type.BOOL) for clause in policy),
        )
    return CheckedRules(tuple(rules), tuple(policy), by_type)


def rule_faults(
    scenario: Scenario,
    rules: Sequence[RuleText],
    policy: Sequence[ClauseText],
    *,
    passed_over: Callable[[str], bool] = lambda text: False,
) -> list[RuleFault]:
    """All that is wrong with rules and policy; conditions that are `passed_over` are not looked at."""
    faults = _name_faults(rules)
    names = [rule.name for rule in rules]
    rule_scopes = [rule_scope(scenario, each) for each in _decided(scenario)]
    for index, rule in enumerate(rules):
        if not passed_over(rule.when):
            faults += _condition_faults("rule", index, rule.when, rule_scopes, RULE_SOURCES)
    clause_scopes = [policy_scope(scenario, each, names) for each in _decided(scenario)]
    for index, clause in enumerate(policy):
        if not passed_over(clause.when):
            faults += _condition_faults("outcome", index, clause.when, clause_scopes, POLICY_SOURCES)
    return faults or _cost_faults(scenario, rules, policy, passed_over)


def compile_rules(scenario: Scenario, rule_set: RuleSet) -> CompiledRules:
    """Checks a rule set and makes it run. Raises ScenarioError where it does not fit the scenario."""
    return bind_rules(generate_rules(scenario, rule_set))


def generate_rules(scenario: Scenario, rule_set: RuleSet) -> GeneratedRules:
    """Checks a rule set and turns it into code: nearly all of the work, which any process may do.

    Raises ScenarioError where it does not fit the scenario.
    """
    checked = check_rules(scenario, rule_set.rules, rule_set.policy)
    return GeneratedRules(
        checked.reads, {name: _generated(each, checked.policy) for name, each in checked.by_type.items()}
    )


def bind_rules(generated: GeneratedRules) -> CompiledRules:
    """The rule set, ready to run in this process."""
    return CompiledRules(generated.reads, {name: bind(judge) for name, judge in generated.judges.items()})


def _generated(checked: TypeExpressions, policy: Sequence[ClauseText]) -> Generated:
    inputs = ("event", "event_time", "profile", "context", "derived", "param", "score")
    clauses = [
        Clause(
            condition,
            (text.name, ()),
            (text.on_unknown, (f"policy_unknown:{text.name}",)),
            needs="score" if SCORE.path in condition.reads else None,
        )
        for text, condition in zip(policy, checked.clauses, strict=True)
    ]
    return generate_judge("judge", inputs, checked.rules, clauses, ("approve", ()))


def _decided(scenario: Scenario) -> list[EventType]:
    return [each for each in scenario.event_types.values() if each.decide]


def _name_faults(rules: Sequence[RuleText]) -> list[RuleFault]:
    faults = []
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if fault := fault_of_name(rule.name):
            faults.append(RuleFault("rule", index, "name", fault))
        elif rule.name in seen:
            faults.append(RuleFault("rule", index, "name", f"another rule is called {rule.name}", "rename one"))
        seen.add(rule.name)
    return faults


def _condition_faults(
    part: Literal["rule", "outcome"], index: int, text: str, scopes: Sequence[Scope], reasons: Reasons
) -> list[RuleFault]:
    """What is wrong with a condition on any type of event, each fault once."""
    faults: dict[RuleFault, None] = {}
    for scope in scopes:
        try:
            check(text, scope, Type.BOOL)
        except ExpressionErrors as errors:
            for each in explained(text, errors, reasons):
                fault = RuleFault(part, index, "when", each.cause, each.hint or "", each.offset, each.length)
                faults[fault] = None
    return list(faults)


def _cost_faults(
    scenario: Scenario,
    rules: Sequence[RuleText],
    policy: Sequence[ClauseText],
    passed_over: Callable[[str], bool],
) -> list[RuleFault]:
    """The rule or clause with which the whole set becomes dearer than it may be, on the type where it is dearest."""
    parts: list[tuple[Literal["rule", "outcome"], int, str]] = [
        *(("rule", index, rule.when) for index, rule in enumerate(rules)),
        *(("outcome", index, clause.when) for index, clause in enumerate(policy)),
    ]
    scopes = [policy_scope(scenario, each, [rule.name for rule in rules]) for each in _decided(scenario)]
    total = 0
    for part, index, text in parts:
        if not passed_over(text):
            total += max((check(text, scope, Type.BOOL).cost for scope in scopes), default=0)
        if total > MAX_SET_COST:
            cause = f"rules and policy up to here cost {total:,} units on one event; {MAX_SET_COST:,} are allowed"
            return [RuleFault(part, index, "when", cause, "spare some, or make them cheaper", length=len(text))]
    return []


def _problem(fault: RuleFault, rules: Sequence[RuleText], policy: Sequence[ClauseText]) -> Problem:
    """The fault, placed in the text of its condition: where it came from a topic there is no file."""
    if fault.part == "rule":
        place, text = f"rule {rules[fault.index].name}", rules[fault.index].when
    else:
        place, text = f"outcome {policy[fault.index].name}", policy[fault.index].when
    if fault.key == "name":
        return Problem(place, fault.cause, fault.hint)
    before = text[: fault.offset].split("\n")
    line, column = len(before), len(before[-1]) + 1
    return Problem(place, fault.cause, fault.hint, line, column, text.split("\n")[line - 1], fault.length)
