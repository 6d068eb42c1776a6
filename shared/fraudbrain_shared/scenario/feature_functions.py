"""The functions that a scenario's features become: what is folded of an event, and what is derived for one."""

from collections.abc import Callable, Sequence

from fraudbrain_shared.expressions import ERROR, UNKNOWN, Expression, check, compile_function
from fraudbrain_shared.scenario.description import EventType, ProfileFeature, Scenario
from fraudbrain_shared.scenario.scope import derived_path, derived_scope, event_scope

Folds = Callable[[object, int], Sequence[object]]
"""(event, event_time) → where and value of each profile feature on the event's type, alternating."""

Derived = Callable[[object, int, Sequence[object]], Sequence[object]]
"""(event, event_time, profile) → the derived features in the scenario's order, None where unknown."""


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
        return lambda event, event_time, profile: ()
    checked = check_derived(scenario, event_type)
    expressions = {derived_path(name): expression for name, expression in checked.items()}
    evaluate = compile_function("derived", ("event", "event_time", "profile"), expressions)

    def derived(event: object, event_time: int, profile: Sequence[object]) -> Sequence[object]:
        values = evaluate(event, event_time, profile)
        return values if ERROR not in values else tuple([UNKNOWN if each is ERROR else each for each in values])

    return derived
