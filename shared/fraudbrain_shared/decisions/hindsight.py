"""What would have been decided otherwise: a decision made again from the inputs that it logged."""

from collections.abc import Mapping, Sequence
from typing import Final

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.controls import start_of
from fraudbrain_shared.decisions.decide import DecisionCore, Origin
from fraudbrain_shared.expressions import Type
from fraudbrain_shared.features import ContextReading, Profile, ProfileFold
from fraudbrain_shared.features.reads import Reading
from fraudbrain_shared.models import Scorer, Value
from fraudbrain_shared.records import Decision, Outcome, RuleSet
from fraudbrain_shared.records.control import Number
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.scope import context_reads, read_type

_ORIGIN: Final = Origin(group="", generation=0, build="")


class Hindsight:
    """Decides logged decisions again, with or without what had moved. For one scenario and one rule set.

    `starting_values` are those of each model release by its version. Raises ScenarioError where the rule
    set does not fit the scenario.
    """

    def __init__(
        self, scenario: Scenario, rule_set: RuleSet, starting_values: Mapping[str, Mapping[str, float]] | None = None
    ) -> None:
        self._scenario = scenario
        self._profile = _LoggedProfile(scenario)
        self._score = _LoggedScore()
        self._core = DecisionCore(scenario, rule_set, _ORIGIN, self._profile)
        self._starting_values = starting_values or {}
        self._context = {
            name: [
                (each.name, read_type(each.feature, each.read) is Type.INT) for each in context_reads(scenario, kind)
            ]
            for name, kind in scenario.event_types.items()
        }

    def is_moved(self, decision: Decision) -> bool:
        """Whether a parameter that it used stood elsewhere than where it starts under the decision's model."""
        starts = self._starts(decision.versions.model)
        return any(value != starts[name] for name, value in decision.parameters.items())

    def outcome(self, event: AdmittedEvent, decision: Decision, *, moved: bool = True, scored: bool = True) -> Outcome:
        """The outcome by what the decision logged; not `moved`: with all parameters where they start; not
        `scored`: as if there were no model."""
        self._profile.remember(decision)
        self._score.score_of(decision)
        known = decision.context
        values = [_typed(known.get(name), whole) for name, whole in self._context[decision.type]]
        again = self._core.decide(
            event,
            Profile(decision.subject),
            decision.source,
            context=ContextReading(tuple(values), decision.context_clock),
            parameters=self._parameters(decision, moved=moved),
            champion=self._score if scored and decision.scores.champion is not None else None,
        )
        return again.outcome

    def _parameters(self, decision: Decision, *, moved: bool) -> Sequence[Number]:
        """Those that the decision did not use do not matter."""
        starts = self._starts(decision.versions.model)
        used = starts | decision.parameters if moved else starts
        return [_typed(used[each.name], each.type == "int") or 0 for each in self._scenario.parameters.values()]

    def _starts(self, model: str | None) -> dict[str, float]:
        values = self._starting_values.get(model or "", {})
        return {each.name: start_of(each, model, values).value for each in self._scenario.parameters.values()}


class _LoggedProfile(ProfileFold):
    """Reads of whatever profile what the decision logged of its own."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._whole = [
            read_type(feature, read) is Type.INT for feature in scenario.profile.values() for read in feature.read
        ]
        self._values: tuple[Reading, ...] = ()

    def remember(self, decision: Decision) -> None:
        logged = decision.features[: len(self._whole)]
        self._values = tuple(_typed(value, whole) for value, whole in zip(logged, self._whole, strict=True))

    def read(self, profile: Profile, event: AdmittedEvent) -> tuple[Reading, ...]:
        return self._values


class _LoggedScore(Scorer):
    """Scores whatever features as the decision's own model did."""

    def __init__(self) -> None:
        self._logged = 0.0

    @property
    def version(self) -> str:
        return ""

    def score_of(self, decision: Decision) -> None:
        self._logged = decision.scores.champion or 0.0

    def score(self, features: Sequence[Value]) -> float:
        return self._logged


def _typed(value: float | None, whole: bool) -> Number | None:
    """Logs keep all numbers as floats; expressions tell whole ones apart."""
    return int(value) if whole and value is not None else value
