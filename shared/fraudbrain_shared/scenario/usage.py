"""What a scenario reads, folds and derives, and who uses it: for people who look at it."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from fraudbrain_shared.expressions import Expression, check
from fraudbrain_shared.scenario.description import (
    ContextFeature,
    EventType,
    Feature,
    LastValues,
    Lifetime,
    Parameter,
    ProfileFeature,
    Scenario,
    Span,
    Window,
    Within,
)
from fraudbrain_shared.scenario.durations import written
from fraudbrain_shared.scenario.feature_functions import check_derived
from fraudbrain_shared.scenario.rules import CheckedRules, check_rules
from fraudbrain_shared.scenario.scope import context_reads, derived_path, event_scope, read_type


class NameUse(msgspec.Struct, frozen=True):
    """Something that expressions may read: what it is, and the readers that do."""

    name: str
    type: str
    about: str
    used_by: tuple[str, ...]


class EventUse(msgspec.Struct, frozen=True):
    """A type of event and its fields. `deadline` is empty for a type that only folds."""

    name: str
    decided: bool
    deadline: str
    fields: tuple[NameUse, ...]


class FeatureUse(msgspec.Struct, frozen=True):
    """A profile or context feature: what is folded, over which `span`, under which id, and its reads."""

    name: str
    id: str
    on: str
    value: str | None
    where: str | None
    span: str
    reads: tuple[NameUse, ...]


class ConditionUse(msgspec.Struct, frozen=True):
    """A rule or a clause of the policy, the names that it reads, and its estimated cost, if that is known."""

    name: str
    when: str
    reads: tuple[str, ...]
    description: str = ""
    cost: int | None = None


class ScenarioUse(msgspec.Struct, frozen=True):
    """A scenario as it is shown. `unused` are the features and parameters that nobody reads."""

    name: str
    version: str
    description: str
    subject: str
    events: tuple[EventUse, ...]
    profile: tuple[FeatureUse, ...]
    derived: tuple[NameUse, ...]
    parameters: tuple[NameUse, ...]
    rules: tuple[ConditionUse, ...]
    policy: tuple[ConditionUse, ...]
    unused: tuple[str, ...]
    context: tuple[FeatureUse, ...] = ()


Readers = Mapping[str, frozenset[str]]
"""The names that each reader, such as `rule large_amount`, reads."""


def usage(scenario: Scenario) -> ScenarioUse:
    """Everything in a scenario with its users, on all types of events together."""
    checked = check_rules(scenario, scenario.rules, scenario.policy)
    rules, policy = _rule_readers(checked)
    readers: Readers = {
        **_money_readers(scenario),
        **_feature_readers(scenario),
        **rules,
        **policy,
        **_model_readers(scenario),
    }
    profile = tuple(_profile_feature(feature, readers) for feature in scenario.profile.values())
    context = tuple(_context_feature(scenario, feature, readers) for feature in scenario.context.values())
    derived = tuple(
        _name(derived_path(name), each.type.value, each.text, readers) for name, each in scenario.derived.items()
    )
    parameters = tuple(
        _name(f"param.{each.name}", each.type, _about_parameter(each), readers) for each in scenario.parameters.values()
    )
    readable = (*(read for feature in (*profile, *context) for read in feature.reads), *derived, *parameters)
    return ScenarioUse(
        name=scenario.name,
        version=scenario.version,
        description=scenario.description,
        subject=scenario.subject,
        events=tuple(_event(scenario, each, readers) for each in scenario.event_types.values()),
        profile=profile,
        derived=derived,
        parameters=parameters,
        rules=tuple(
            ConditionUse(
                rule.name,
                rule.when,
                tuple(sorted(rules[f"rule {rule.name}"])),
                rule.description,
                _cost(each.rules[rule.name] for each in checked.by_type.values()),
            )
            for rule in scenario.rules
        ),
        policy=tuple(
            ConditionUse(
                clause.name,
                clause.when.strip(),
                tuple(sorted(reads)),
                cost=_cost(each.clauses[place] for each in checked.by_type.values()),
            )
            for place, (clause, reads) in enumerate(zip(scenario.policy, policy.values(), strict=True))
        ),
        unused=tuple(each.name for each in readable if not each.used_by),
        context=context,
    )


def _money_readers(scenario: Scenario) -> Readers:
    if scenario.money is None:
        return {}
    types = scenario.event_types.values()
    amounts = (check(scenario.money.amount, event_scope(each, types)) for each in types if each.decide)
    return {"money": _reads(amounts)}


def _feature_readers(scenario: Scenario) -> Readers:
    readers = {f"profile {name}": frozenset(_folded(each)) for name, each in scenario.profile.items()}
    checked = [check_derived(scenario, each) for each in scenario.event_types.values() if each.decide]
    for name in scenario.derived:
        readers[f"derived {name}"] = _reads(each[name] for each in checked)
    return readers


def _rule_readers(checked: CheckedRules) -> tuple[Readers, Readers]:
    """The readers among the rules, and the clauses of the policy, numbered from 1."""
    by_type = checked.by_type.values()
    rules = {f"rule {rule.name}": _reads(each.rules[rule.name] for each in by_type) for rule in checked.rules}
    policy = {
        f"policy {place + 1} {clause.name}": _reads(each.clauses[place] for each in by_type)
        for place, clause in enumerate(checked.policy)
    }
    return rules, policy


def _cost(expressions: Iterable[Expression]) -> int | None:
    """The estimated cost of a condition on the type of event where it costs most; None if nobody estimates."""
    costs: list[object] = [getattr(each, "cost", None) for each in expressions]
    return max((each for each in costs if isinstance(each, int)), default=None)


def _model_readers(scenario: Scenario) -> Readers:
    if scenario.model is None:
        return {}
    derived, features = set(scenario.derived), scenario.model.features
    return {"model": frozenset(derived_path(name) if name in derived else f"profile.{name}" for name in features)}


def _reads(expressions: Iterator[Expression]) -> frozenset[str]:
    return frozenset(name for each in expressions for name in each.reads)


def _folded(feature: ProfileFeature) -> Iterator[str]:
    key = feature.span.key if isinstance(feature.span, Within) else None
    for expression in (feature.value, feature.where, key):
        if expression:
            yield from expression.reads


def _name(name: str, kind: str, about: str, readers: Readers) -> NameUse:
    return NameUse(name, kind, about, tuple(reader for reader, names in readers.items() if name in names))


def _profile_feature(feature: ProfileFeature, readers: Readers) -> FeatureUse:
    reads = zip(feature.read, feature.read_names(), strict=True)
    return _feature(
        feature,
        feature.name,
        _span(feature.span),
        (_name(f"profile.{name}", read_type(feature, read).value, read, readers) for read, name in reads),
    )


def _span(span: Span) -> str:
    match span:
        case Window():
            return f"over {written(span.length_ms)} in hops of {written(span.hop_ms)}"
        case Within():
            return f"within one {span.key.text}"
        case LastValues():
            return f"over the last {span.count}"
        case Lifetime():
            return "over the whole life"


def _context_feature(scenario: Scenario, feature: ContextFeature, readers: Readers) -> FeatureUse:
    """Read once for each field that names such an entity, on whatever type of event."""
    reads = {
        each.path: each
        for event_type in scenario.event_types.values()
        for each in context_reads(scenario, event_type)
        if each.feature is feature
    }
    names = (
        _name(path, read_type(feature, each.read).value, f"{each.read}, for {each.field.name}", readers)
        for path, each in reads.items()
    )
    span = _span(Window(feature.window_ms, feature.hop_ms))
    return _feature(feature, f"{feature.entity}.{feature.name}", span, names)


def _feature(feature: Feature, name: str, span: str, reads: Iterable[NameUse]) -> FeatureUse:
    return FeatureUse(
        name=name,
        id=feature.id,
        on=feature.on,
        value=feature.value.text if feature.value else None,
        where=feature.where.text if feature.where else None,
        span=span,
        reads=tuple(reads),
    )


def _about_parameter(parameter: Parameter) -> str:
    about = f"{parameter.default} ({parameter.low} to {parameter.high})"
    if parameter.per:
        about += f", per {parameter.per}"
    if parameter.tuning:
        about += f", moved by {parameter.tuning.tuner.kind} every {written(parameter.tuning.every_ms)}"
    return about


def _event(scenario: Scenario, event_type: EventType, readers: Readers) -> EventUse:
    return EventUse(
        name=event_type.name,
        decided=event_type.decide,
        deadline=written(event_type.deadline_ms) if event_type.decide else "",
        fields=tuple(
            _name(f"event.{field.name}", field.type, ", ".join(_traits(scenario, event_type, field.name)), readers)
            for field in event_type.fields.values()
        ),
    )


def _traits(scenario: Scenario, event_type: EventType, name: str) -> Iterator[str]:
    field = event_type.fields[name]
    if name == scenario.subject:
        yield "subject"
    if field.entity:
        yield f"entity {field.entity}"
    if field.unit:
        yield f"unit {field.unit}"
    if field.min is not None or field.max is not None:
        yield f"{'' if field.min is None else field.min}…{'' if field.max is None else field.max}"
    if field.max_length is not None:
        yield f"at most {field.max_length} characters"
    if field.optional:
        yield "optional"
    if field.sensitive:
        yield "sensitive"
