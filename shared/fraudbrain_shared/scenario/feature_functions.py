"""The functions that a scenario's features become: what is folded of an event, and what is derived for one."""

from collections.abc import Callable, Sequence

from fraudbrain_shared.expressions import ERROR, UNKNOWN, Expression, check, compile_function
from fraudbrain_shared.scenario.description import LABEL, ContextFeature, EventType, ProfileFeature, Scenario
from fraudbrain_shared.scenario.scope import derived_path, derived_scope, event_scope, label_scope

Folds = Callable[[object, int], Sequence[object]]
"""(event, event_time) → where and value of each profile feature on the event's type, alternating."""

ContextFolds = Callable[[object, int, object], Sequence[object]]
"""(event, event_time, label) → where and value of each context feature, alternating."""

Derived = Callable[[object, int, Sequence[object], Sequence[object]], Sequence[object]]
"""(event, event_time, profile, context) → the derived features in the scenario's order, None where unknown."""


def features_on(scenario: Scenario, event_type: EventType) -> tuple[ProfileFeature, ...]:
    """The profile features that fold events of one type, in the scenario's order."""
    return tuple(feature for feature in scenario.profile.values() if feature.on == event_type.name)


def compile_folds(scenario: Scenario, event_type: EventType) -> Folds:
    """What events of one type add to the profile: result 2i is the condition of the i-th of
    `features_on`, result 2i + 1 its value.

    A feature without `where` takes all events, one without `value` counts them as 1.
    """
    scope = event_scope(event_type)
    always, one = check("true", scope), check("1", scope)
    expressions: dict[str, Expression] = {}
    for feature in features_on(scenario, event_type):
        expressions[f"{feature.name}.where"] = feature.where or always
        expressions[f"{feature.name}.value"] = feature.value or one
    return compile_function("folds", ("event", "event_time"), expressions)


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
    evaluate = compile_function("derived", ("event", "event_time", "profile", "context"), expressions)

    def derived(
        event: object, event_time: int, profile: Sequence[object], context: Sequence[object]
    ) -> Sequence[object]:
        values = evaluate(event, event_time, profile, context)
        return values if ERROR not in values else tuple([UNKNOWN if each is ERROR else each for each in values])

    return derived
