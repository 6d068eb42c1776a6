"""What expressions may read, place by place, and the Python code that reads it.

The functions generated from expressions take `event` (the fields), `event_time` (UTC ms),
`profile`, `context`, `derived` and `param` (tuples in the orders given here) and `score`; those
of context features on labels take `label`. What is folded reads `event`, `event_time`, `profile` and
`derived`: the same tuples as for a decision.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from fraudbrain_shared.expressions import (
    Expression,
    ExpressionErrors,
    Name,
    Range,
    Scope,
    Type,
    check,
    holds_code,
    local_name,
)
from fraudbrain_shared.expressions.types import RANGES
from fraudbrain_shared.scenario.description import (
    ContextFeature,
    EventType,
    Feature,
    Field,
    FieldType,
    Parameter,
    Read,
    Scenario,
)
from fraudbrain_shared.scenario.reads import RULES, read_rule

TYPES: Final[Mapping[FieldType, Type]] = {
    "string": Type.STRING,
    "int": Type.INT,
    "double": Type.DOUBLE,
    "bool": Type.BOOL,
    "timestamp": Type.TIMESTAMP,
    "duration": Type.DURATION,
    "enum": Type.STRING,
    "strings": Type.STRING_LIST,
}
INT64: Final = RANGES[Type.INT]
KNOWN_READS: Final[frozenset[Read]] = frozenset(read for read, rule in RULES.items() if rule.of_nothing_known)
"""Reads of nothing that are still known: nothing happened, and it sums to 0."""
# No subject has more events than that, and no time is as many seconds away.
_MANY: Final = 2**40
_READ_RANGES: Final[Mapping[Read, Range]] = {
    **dict.fromkeys(("count", "distinct", "streak"), Range(0, _MANY)),
    "seconds_since": Range(-_MANY, _MANY),
}

EVENT_TIME: Final = Name("event.event_time", Type.TIMESTAMP, "event_time")
SCORE: Final = Name("score", Type.DOUBLE, "score", may_be_unknown=True)
LABEL_FRAUD: Final = Name("label.fraud", Type.BOOL, "label.fraud")


class ContextRead(NamedTuple):
    """A read of a context feature for the entity that a field names."""

    field: Field
    feature: ContextFeature
    read: Read

    @property
    def name(self) -> str:
        """How it is called on decisions, such as `terminal_id.fraud_7d_count`."""
        return f"{self.field.name}.{self.feature.name}_{self.read}"

    @property
    def path(self) -> str:
        """The path under which expressions read it."""
        return f"context.{self.name}"


def profile_reads(scenario: Scenario) -> tuple[str, ...]:
    """The names of all reads of profile features, in the order of the tuple `profile`."""
    return tuple(name for feature in scenario.profile.values() for name in feature.read_names())


def context_reads(scenario: Scenario, event_type: EventType) -> tuple[ContextRead, ...]:
    """All reads of context features for events of one type, in the order of the tuple `context`."""
    return tuple(
        ContextRead(field, feature, read)
        for field in event_type.fields.values()
        if field.entity
        for feature in scenario.context.values()
        if feature.entity == field.entity
        for read in feature.read
    )


def event_scope(event_type: EventType, all_types: Iterable[EventType] = ()) -> Scope:
    """The event's own fields and time; fields that only other types declare read as unknown."""
    own = {name.path: name for name in map(_field_name, event_type.fields.values())}
    foreign = {
        f"event.{field.name}": Name(f"event.{field.name}", TYPES[field.type], "None", may_be_unknown=True)
        for other in all_types
        for field in other.fields.values()
    }
    return {**foreign, **own, EVENT_TIME.path: EVENT_TIME}


def derived_scope(scenario: Scenario, event_type: EventType, earlier: Mapping[str, Expression]) -> Scope:
    """What a derived feature reads: event, profile, context, and derived features computed before it."""
    locals_ = (_derived_name(name, each, local_name(derived_path(name))) for name, each in earlier.items())
    return {**_event_and_state(scenario, event_type), **_by_path(locals_)}


def fold_scope(scenario: Scenario, event_type: EventType, derived: Mapping[str, Expression] | None = None) -> Scope:
    """What `where`, `value` and `within` of a profile feature read on events of a type: the event and, as of
    just before it, the profile and the derived features that `fold_derived` gives (`derived`, if they are
    known already), each at its place among all derived features of the scenario.
    """
    readable = fold_derived(scenario, event_type) if derived is None else derived
    places = {name: place for place, name in enumerate(scenario.derived)}
    names = (_derived_name(name, each, f"derived[{places[name]}]") for name, each in readable.items())
    return {**event_scope(event_type), **_by_path(_profile_names(scenario)), **_by_path(names)}


def fold_derived(scenario: Scenario, event_type: EventType) -> dict[str, Expression]:
    """The derived features that folds on events of a type may read, as they are there: those made of event
    and profile only, and, where the type is not decided, those that fit its fields."""
    found: dict[str, Expression] = {}
    for name, expression in scenario.derived.items():
        if not reads_for_folds(expression, found):
            continue
        try:
            checked = check(expression.text, derived_scope(scenario, event_type, found), expression.type)
        except ExpressionErrors:
            continue
        found[name] = checked
    return found


def reads_for_folds(derived: Expression, earlier: Iterable[str]) -> bool:
    """Whether a derived feature is made of the event, the profile and such ones of the `earlier` only."""
    known = {derived_path(name) for name in earlier}
    return all(read.startswith(("event.", "profile.")) or read in known for read in derived.reads)


def label_scope(event_type: EventType, all_types: Iterable[EventType]) -> Scope:
    """What a context feature on labels reads: the label, and the event that it is about."""
    return {**event_scope(event_type, all_types), LABEL_FRAUD.path: LABEL_FRAUD}


def rule_scope(scenario: Scenario, event_type: EventType) -> Scope:
    """What a rule reads: event, profile, context, all derived features and the parameters."""
    derived = (
        _derived_name(name, each, f"derived[{place}]") for place, (name, each) in enumerate(scenario.derived.items())
    )
    parameters = (_parameter_name(each, place) for place, each in enumerate(scenario.parameters.values()))
    return {**_event_and_state(scenario, event_type), **_by_path(derived), **_by_path(parameters)}


def policy_scope(scenario: Scenario, event_type: EventType, rule_names: Sequence[str]) -> Scope:
    """What a clause of the policy reads: all that a rule does, the findings and the score.

    A finding is never unknown: that of a rule which is unknown or in error is false.
    """
    findings = (Name(f"finding.{name}", Type.BOOL, holds_code(name)) for name in rule_names)
    return {**rule_scope(scenario, event_type), **_by_path(findings), SCORE.path: SCORE}


def derived_path(name: str) -> str:
    """The path under which expressions read a derived feature."""
    return f"derived.{name}"


def _event_and_state(scenario: Scenario, event_type: EventType) -> Scope:
    return {
        **event_scope(event_type, scenario.event_types.values()),
        **_by_path(_profile_names(scenario)),
        **_by_path(_context_names(scenario, event_type)),
    }


def _profile_names(scenario: Scenario) -> Iterator[Name]:
    place = 0
    for feature in scenario.profile.values():
        for read, name in zip(feature.read, feature.read_names(), strict=True):
            may_be_unknown = read not in KNOWN_READS or not scenario.profile_is_known
            yield Name(
                f"profile.{name}", read_type(feature, read), f"profile[{place}]", may_be_unknown, _READ_RANGES.get(read)
            )
            place += 1


def _context_names(scenario: Scenario, event_type: EventType) -> Iterator[Name]:
    """Any may be unknown: the field is absent, or what was known of its entity was put away. Reads for entities that
    only other types of events name always are."""
    for other in scenario.event_types.values():
        for each in context_reads(scenario, other):
            yield Name(each.path, read_type(each.feature, each.read), "None", may_be_unknown=True)
    for place, each in enumerate(context_reads(scenario, event_type)):
        type_ = read_type(each.feature, each.read)
        yield Name(each.path, type_, f"context[{place}]", may_be_unknown=True, range=_READ_RANGES.get(each.read))


def read_type(feature: Feature, read: Read) -> Type:
    """The type of what a read yields."""
    rule = read_rule(read)
    if rule is None:
        raise AssertionError(read)
    return rule.yields or (feature.value.type if feature.value else Type.INT)


def _field_name(field: Field) -> Name:
    range_ = whole_range(field) if TYPES[field.type] in RANGES else None
    return Name(
        f"event.{field.name}",
        TYPES[field.type],
        f"event.{field.name}",
        field.optional,
        range_,
        max_length=field.max_length,
        max_items=field.max_items,
    )


def whole_range(field: Field) -> Range:
    """The bounds that decoding enforces of a whole number, a time or a length of time."""
    widest = RANGES[TYPES[field.type]]
    low = widest.low if field.min is None else int(field.min)
    high = widest.high if field.max is None else int(field.max)
    return Range(low, high)


def _derived_name(name: str, expression: Expression, code: str) -> Name:
    return Name(derived_path(name), expression.type, code, expression.may_be_unknown or expression.may_fail)


def _parameter_name(parameter: Parameter, place: int) -> Name:
    if parameter.type == "double":
        return Name(f"param.{parameter.name}", Type.DOUBLE, f"param[{place}]")
    bounds = Range(int(parameter.low), int(parameter.high))
    return Name(f"param.{parameter.name}", Type.INT, f"param[{place}]", range=bounds)


def _by_path(names: Iterable[Name]) -> Scope:
    return {name.path: name for name in names}
