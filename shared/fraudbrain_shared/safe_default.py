"""What a caller does when no decision came in time."""

from collections.abc import Callable
from typing import Any

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.expressions import check, compile_function
from fraudbrain_shared.records import Outcome
from fraudbrain_shared.scenario.description import EventType, Scenario
from fraudbrain_shared.scenario.scope import event_scope


def safe_defaults(scenario: Scenario) -> Callable[[AdmittedEvent], Outcome]:
    """The outcome for an event of a type that is decided: of its type's safe defaults the first whose `up_to` the
    amount does not exceed. An amount that is not known exceeds all."""
    of_type = {each.name: _of_type(scenario, each) for each in scenario.event_types.values() if each.decide}

    def safe_default(event: AdmittedEvent) -> Outcome:
        return of_type[event.type](event)

    return safe_default


def _of_type(scenario: Scenario, event_type: EventType) -> Callable[[AdmittedEvent], Outcome]:
    amount_of = _amount(scenario, event_type)
    bounded = [(each.up_to, each.outcome) for each in event_type.safe_default if each.up_to is not None]
    last = event_type.safe_default[-1].outcome

    def safe_default(event: AdmittedEvent) -> Outcome:
        [amount] = amount_of(event.fields, event.event_time)
        if not isinstance(amount, int | float):
            return last
        return next((outcome for up_to, outcome in bounded if amount <= up_to), last)

    return safe_default


def _amount(scenario: Scenario, event_type: EventType) -> Callable[..., tuple[Any, ...]]:
    if scenario.money is None:
        return lambda event, event_time: (None,)
    amount = check(scenario.money.amount, event_scope(event_type, scenario.event_types.values()))
    return compile_function("amount", ("event", "event_time"), {"amount": amount}, errors_unknown=True)
