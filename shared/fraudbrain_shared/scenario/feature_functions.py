"""The functions that a scenario's features become: what is folded of an event, and what is derived for one."""

from collections.abc import Callable, Iterable, Sequence

from fraudbrain_shared.expressions import UNKNOWN, Expression, ExpressionErrors, check, compile_function
from fraudbrain_shared.scenario.description import (
    LABEL,
    ContextFeature,
    EventType,
    ProfileFeature,
    Scenario,
    Within,
)
from fraudbrain_shared.scenario.scope import (
    derived_path,
    derived_scope,
    event_scope,
    fold_derived,
    fold_scope,
    label_scope,
)

Keys = Callable[[object, int, Sequence[object], Sequence[object]], Sequence[object]]
"""(event, event_time, profile, derived) → the key of each feature, None where it cannot be evaluated."""

FoldDerived = Callable[[object, int, Sequence[object]], Sequence[object]]
"""(event, event_time, profile) → the derived features that folds read, each at its place among all of the scenario."""

ContextFolds = Callable[[object, int, object], Sequence[object]]
"""(event, event_time, label) → where and value of each context feature, alternating."""

Derived = Callable[[object, int, Sequence[object], Sequence[object]], Sequence[object]]
"""(event, event_time, profile, context) → the derived features in the scenario's order, None where unknown."""


def compile_keys(scenario: Scenario, event_type: EventType, features: Sequence[ProfileFeature]) -> Keys:
    """The keys within which `features` are kept, on events of any type: those that lack a key's fields have none."""
    expressions = {each.name: _key_on(scenario, event_type, each) for each in features}
    places = {name: place for place, name in enumerate(name for name, key in expressions.items() if key)}
    found = {name: key for name, key in expressions.items() if key}
    evaluate = compile_function("keys", ("event", "event_time", "profile", "derived"), found, errors_unknown=True)
    if len(found) == len(features):
        return evaluate

    def keys(event: object, event_time: int, profile: Sequence[object], derived: Sequence[object]) -> Sequence[object]:
        values = evaluate(event, event_time, profile, derived)
        return [values[places[name]] if name in places else UNKNOWN for name in expressions]

    return keys


def _key_on(scenario: Scenario, event_type: EventType, feature: ProfileFeature) -> Expression | None:
    if not isinstance(feature.span, Within):
        return None
    key = feature.span.key
    if feature.on == event_type.name:
        return key
    try:
        return check(key.text, fold_scope(scenario, event_type), key.type)
    except ExpressionErrors:
        return None


def folds_read(expressions: Iterable[Expression]) -> frozenset[str]:
    """The paths of profile and derived features that expressions of folds read."""
    return frozenset(
        read for each in expressions for read in each.reads if read.startswith(("profile.", derived_path("")))
    )


def compile_fold_derived(scenario: Scenario, event_type: EventType, paths: Iterable[str]) -> FoldDerived:
    """The derived features among `paths`, and those that they are made of, on events of one type, decided or not.
    All others are unknown, and so is one in error."""
    readable = fold_derived(scenario, event_type)
    wanted: set[str] = set()
    waiting = list(paths)
    while waiting:
        name = waiting.pop().removeprefix(derived_path(""))
        if name in readable and name not in wanted:
            wanted.add(name)
            waiting += readable[name].reads
    expressions = {derived_path(name): each for name, each in readable.items() if name in wanted}
    places = [place for place, name in enumerate(scenario.derived) if name in wanted]
    inputs = ("event", "event_time", "profile")
    evaluate = compile_function("fold_derived", inputs, expressions, errors_unknown=True)

    def derived(event: object, event_time: int, profile: Sequence[object]) -> Sequence[object]:
        values: list[object] = [UNKNOWN] * len(scenario.derived)
        for place, value in zip(places, evaluate(event, event_time, profile), strict=True):
            values[place] = value
        return values

    return derived


def context_features_on(scenario: Scenario, event_type: EventType, on: str) -> tuple[ContextFeature, ...]:
    """The context features that fold events of one type (`on` its name), or the labels of such events
    (`on` is `label`): those of the kinds of entities that the type names."""
    kinds = {field.entity for field in event_type.fields.values() if field.entity}
    return tuple(each for each in scenario.context.values() if each.on == on and each.entity in kinds)


def compile_context_folds(scenario: Scenario, event_type: EventType, on: str) -> ContextFolds:
    """What one event, or the label of one, adds to the context: result 2i is the condition of the i-th of
    `context_features_on`, result 2i + 1 its value. The label is read by features on labels only."""
    types = scenario.event_types.values()
    scope = label_scope(event_type, types) if on == LABEL else event_scope(event_type)
    expressions: dict[str, Expression] = {}
    for feature in context_features_on(scenario, event_type, on):
        path = f"{feature.entity}.{feature.name}"
        expressions[f"{path}.where"] = check(feature.where.text if feature.where else "true", scope)
        expressions[f"{path}.value"] = check(feature.value.text if feature.value else "1", scope)
    return compile_function("context_folds", ("event", "event_time", "label"), expressions)


def check_derived(scenario: Scenario, event_type: EventType) -> dict[str, Expression]:
    """The derived features as they are for events of one decided type, where fields that only other
    types declare are unknown."""
    checked: dict[str, Expression] = {}
    for name, expression in scenario.derived.items():
        checked[name] = check(expression.text, derived_scope(scenario, event_type, checked))
    return checked


def compile_derived(scenario: Scenario, event_type: EventType) -> Derived:
    """The derived features of an event of one type. One in error is unknown, to those that read it too.

    A type that is not decided has none.
    """
    if not event_type.decide:
        return lambda event, event_time, profile, context: ()
    checked = check_derived(scenario, event_type)
    expressions = {derived_path(name): expression for name, expression in checked.items()}
    inputs = ("event", "event_time", "profile", "context")
    return compile_function("derived", inputs, expressions, errors_unknown=True)
