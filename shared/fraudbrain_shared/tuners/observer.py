"""From records to observations: which parameters of which entities an event, a label or a decision is about."""

from collections.abc import Callable, Sequence
from typing import Any

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.expressions import check, compile_function
from fraudbrain_shared.records import Decision, Labelled
from fraudbrain_shared.scenario.description import BudgetTuner, EventType, Parameter, RateTuner, Scenario, SurgeTuner
from fraudbrain_shared.scenario.scope import event_scope
from fraudbrain_shared.tuners.observation import Observation

__all__ = ["Observation", "Observer"]


class Observer:
    """What a scenario's tuners take note of. Holds no data."""

    def __init__(self, scenario: Scenario) -> None:
        tuned = [each for each in scenario.parameters.values() if each.tuning]
        self._rates = [each for each in tuned if each.tuning and isinstance(each.tuning.tuner, RateTuner)]
        self._budgets = [each for each in tuned if each.tuning and isinstance(each.tuning.tuner, BudgetTuner)]
        self._surges = {each.name: _Surges(tuned, each) for each in scenario.event_types.values()}

    def of_event(self, event: AdmittedEvent) -> list[Observation]:
        """For surges: an event of the tuner's type, where its condition holds."""
        return self._surges[event.type].observations(event)

    def of_labelled(self, labelled: Labelled) -> list[Observation]:
        """For rates: the first label of an event, at the time it became known."""
        if labelled.correction:
            return []
        fields, label = labelled.event.fields, labelled.label
        return [
            Observation(each.name, id_, label.known_at, int(label.fraud))
            for each in self._rates
            if (id_ := _id(each, fields.get(each.per or ""))) is not None
        ]

    def of_decision(self, decision: Decision) -> list[Observation]:
        """For budgets: the champion's score, under the release that gave it."""
        score = decision.scores.champion
        if score is None or decision.versions.model is None:
            return []
        return [
            Observation(each.name, id_, decision.event_time, score, decision.versions.model)
            for each in self._budgets
            if (id_ := _id(each, decision.entities.get(each.per or ""))) is not None
        ]


class _Surges:
    """The surge tuners on one type of event, their conditions compiled."""

    def __init__(self, tuned: Sequence[Parameter], event_type: EventType) -> None:
        on_type = [(each, each.tuning.tuner) for each in tuned if each.tuning]
        self._parameters = [
            each for each, tuner in on_type if isinstance(tuner, SurgeTuner) and tuner.on == event_type.name
        ]
        scope = event_scope(event_type)
        conditions = {
            each.name: tuner.where or check("true", scope)
            for each, tuner in on_type
            if isinstance(tuner, SurgeTuner) and tuner.on == event_type.name
        }
        self._holds: Callable[..., Sequence[Any]] = compile_function("surges", ("event", "event_time"), conditions)

    def observations(self, event: AdmittedEvent) -> list[Observation]:
        if not self._parameters:
            return []
        holds = self._holds(event.fields, event.event_time)
        return [
            Observation(each.name, id_, event.event_time)
            for each, holding in zip(self._parameters, holds, strict=True)
            if holding is True and (id_ := _id(each, getattr(event.fields, each.per) if each.per else None)) is not None
        ]


def _id(parameter: Parameter, named: object) -> str | None:
    """The id for which a parameter is kept: empty for a global one, None where the record names none."""
    if parameter.per is None:
        return ""
    return named if isinstance(named, str) and named else None
