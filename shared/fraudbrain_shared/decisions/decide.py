"""The decision itself: a pure function of event, profile and inputs."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.controls import start_of
from fraudbrain_shared.decisions.named_inputs import named_inputs
from fraudbrain_shared.expressions import Names
from fraudbrain_shared.features import ContextReading, Profile, ProfileFold
from fraudbrain_shared.features.hops import Number
from fraudbrain_shared.features.reads import Reading
from fraudbrain_shared.models import Scorer
from fraudbrain_shared.records import Decision, RuleSet, Scores, Source, Versions
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.feature_set import compile_logged, feature_names, feature_set
from fraudbrain_shared.scenario.rules import CompiledRules, Verdict, compile_derived, compile_rules
from fraudbrain_shared.scenario.scope import KNOWN_READS, ContextRead, context_reads

NO_SCORES: Final = Scores()
CONTEXT_STALE: Final = "context_stale"
"""Why a decision is degraded that used context whose clock was too far behind."""
CONTEXT_PUT_AWAY: Final = "context_put_away"
"""Why one is that would have used context of an entity which was put away to save memory."""
PARAMETERS_PUT_AWAY: Final = "parameters_put_away"
"""Why one is by whose entity a parameter stood elsewhere, which was put away: it was taken where it starts."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who decides, the same for all decisions of a worker."""

    group: str
    generation: int
    build: str


Judgement: TypeAlias = tuple[Verdict, Names, Names, Names]
"""What rules and policy say: the verdict, and the rules that fired, that are unknown, and that failed."""

Derived: TypeAlias = tuple[Sequence[object], tuple[float | None, ...]]
"""The values of derived features, and all features as they are logged."""


class DecisionCore:
    """A scenario with one rule set, compiled; a new rule set is a new core.

    `decide` is what everybody calls; `features`, `judge` and `record` are its steps, apart for whoever measures them.
    Raises ScenarioError where the rule set does not fit the scenario.
    """

    def __init__(self, scenario: Scenario, rule_set: RuleSet, origin: Origin, fold: ProfileFold) -> None:
        self._scenario = scenario
        self._origin = origin
        self._fold = fold
        self._derived = {name: compile_derived(scenario, kind) for name, kind in scenario.event_types.items()}
        self._defaults = tuple(start_of(parameter).value for parameter in scenario.parameters.values())
        self._nothing_known = {
            name: ContextReading(tuple(_of_nothing(each) for each in context_reads(scenario, kind)))
            for name, kind in scenario.event_types.items()
        }
        self._logged = compile_logged(scenario)
        self.feature_names = feature_names(scenario)
        self._feature_set = feature_set(self.feature_names)
        self._decide_by(rule_set, compile_rules(scenario, rule_set))
        self._without_profile: DecisionCore | None = None

    @property
    def without_profile(self) -> "DecisionCore":
        """Decides by the same rules where the profile cannot be had: all is unknown that it would say."""
        if self._without_profile is None:
            unknowing = self._scenario.without_profile()
            self._without_profile = DecisionCore(unknowing, self.rule_set, self._origin, self._fold)
        return self._without_profile

    def with_rules(self, rule_set: RuleSet, rules: CompiledRules, without_profile: CompiledRules) -> "DecisionCore":
        """A core that decides by another rule set, which was compiled for the same scenario, and for it without
        profile; in no time."""
        other = copy(self)
        other._decide_by(rule_set, rules if self._scenario.profile_is_known else without_profile)
        other._without_profile = copy(self.without_profile)
        other._without_profile._decide_by(rule_set, without_profile)
        return other

    def _decide_by(self, rule_set: RuleSet, rules: CompiledRules) -> None:
        self.rule_set = rule_set
        self._rules = rules
        self._versions = Versions(scenario=self._scenario.version, rules=rule_set.version, build=self._origin.build)
        self._parameters_used = [
            (name, place) for place, name in enumerate(self._scenario.parameters) if f"param.{name}" in rules.reads
        ]
        self._named_values: Sequence[Number] | None = None
        self._named: dict[str, float] = {}
        scenario = self._scenario
        paths = rules.reads.union(*(each.reads for each in scenario.derived.values()))
        self._inputs = {name: named_inputs(scenario, kind, paths) for name, kind in scenario.event_types.items()}

    def decide(
        self,
        event: AdmittedEvent,
        profile: Profile,
        source: Source,
        *,
        context: ContextReading | None = None,
        parameters: Sequence[Number] | None = None,
        champion: Scorer | None = None,
        challenger: Scorer | None = None,
        readings: Sequence[Reading] | None = None,
        degraded: tuple[str, ...] = (),
    ) -> Decision:
        """The decision on an event, with the profile as it was just before it. Changes neither.

        `context` is what a ContextView reads for the event, `parameters` what a ParameterBook says; without
        them nothing is known of any entity, and all parameters have their defaults. `champion` gives the
        score; without one, clauses on the score do not apply. What the `challenger` would say is noted and changes
        nothing. `readings` are the profile's features, if the caller has read them already. `degraded` says what
        the inputs lack already.
        """
        if context is None:
            context = self._nothing_known[event.type]
        if parameters is None:
            parameters = self._defaults
        if readings is None:
            readings = self._fold.read(profile, event)
        derived, features = self.features(event, readings, context)
        score = None if champion is None else champion.score(features)
        judgement = self.judge(event, readings, context, derived, parameters, score)
        shadow = None if challenger is None else challenger.score(features)
        versions, scores = self.versions_with(champion, challenger), _scores(score, shadow)
        return self.record(event, profile, source, features, judgement, context, parameters, versions, scores, degraded)

    def features(self, event: AdmittedEvent, readings: Sequence[Reading], context: ContextReading) -> Derived:
        """What is derived for the event, and its features as they are logged: a decision's first step."""
        derived = self._derived[event.type](event.fields, event.event_time, readings, context.values)
        return derived, self._logged(readings, derived)

    def judge(
        self,
        event: AdmittedEvent,
        readings: Sequence[Reading],
        context: ContextReading,
        derived: Sequence[object],
        parameters: Sequence[Number],
        score: float | None,
    ) -> Judgement:
        """What the rules find and the policy makes of it: a decision's second step, once the event is scored."""
        judge = self._rules.judges[event.type]
        return judge(event.fields, event.event_time, readings, context.values, derived, parameters, score)

    def record(
        self,
        event: AdmittedEvent,
        profile: Profile,
        source: Source,
        features: tuple[float | None, ...],
        judgement: Judgement,
        context: ContextReading,
        parameters: Sequence[Number],
        versions: Versions,
        scores: Scores = NO_SCORES,
        degraded: tuple[str, ...] = (),
    ) -> Decision:
        """The decision with all that is needed to make it again: its last step."""
        (outcome, undecided), findings, unknown, failed = judgement
        inputs = self._inputs[event.type]
        entities, context_used = inputs.of(event.fields, context.values)
        degraded += undecided
        if inputs.stale_after_ms is not None:
            if context.is_behind(inputs.stale_after_ms):
                degraded += (CONTEXT_STALE,)
            if context.is_partial:
                degraded += (CONTEXT_PUT_AWAY,)
        return Decision(  # by place: by keyword it takes five times as long
            event.event_id,
            event.type,
            profile.subject,
            event.event_time,
            source,
            outcome,
            versions,
            self._origin.group,
            self._origin.generation,
            self._feature_set,
            features,
            entities,
            findings,
            unknown,
            failed,
            scores,
            degraded,
            event.event_time < profile.clock,  # late
            False,  # overdue
            context_used,
            self._named_parameters(parameters),
            None if inputs.stale_after_ms is None else context.clock,
        )

    def versions_with(self, champion: Scorer | None, challenger: Scorer | None = None) -> Versions:
        """The same object for all decisions by the same releases."""
        model = None if champion is None else champion.version
        shadow = None if challenger is None else challenger.version
        versions = self._versions
        if versions.model != model or versions.challenger != shadow:
            versions = self._versions = msgspec.structs.replace(versions, model=model, challenger=shadow)
        return versions

    def _named_parameters(self, values: Sequence[Number]) -> dict[str, float]:
        """The same object for all decisions by the same values, which a ParameterBook gives as the same tuple."""
        if values is not self._named_values:
            self._named_values = values
            self._named = {name: values[place] for name, place in self._parameters_used}
        return self._named


def _of_nothing(read: ContextRead) -> Number | None:
    return 0 if read.read in KNOWN_READS else None


def _scores(champion: float | None, challenger: float | None) -> Scores:
    return NO_SCORES if champion is challenger is None else Scores(champion, challenger)
