"""The decision itself: a pure function of event, profile and inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.expressions import ERROR
from fraudbrain_shared.features import Profile, ProfileFold
from fraudbrain_shared.records import Decision, Outcome, RuleSet, Source, Versions
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.rules import CompiledRules, compile_derived, compile_rules
from fraudbrain_shared.scenario.scope import profile_reads


@dataclass(frozen=True, slots=True)
class Origin:
    """Who decides, the same for all decisions of a worker."""

    group: str
    generation: int
    build: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy made of the findings. `degraded` says why it could not be sure."""

    outcome: Outcome
    degraded: tuple[str, ...] = ()


class DecisionCore:
    """A scenario with one rule set, compiled: immutable, so that a new rule set is a new core.

    Raises ScenarioError where the rule set does not fit the scenario.
    """

    def __init__(self, scenario: Scenario, rule_set: RuleSet, origin: Origin, fold: ProfileFold) -> None:
        self.rule_set = rule_set
        self._scenario = scenario
        self._origin = origin
        self._fold = fold
        self._rules: CompiledRules = compile_rules(scenario, rule_set)
        self._derived = {name: compile_derived(scenario, kind) for name, kind in scenario.event_types.items()}
        self._entities = {
            name: [field.name for field in kind.fields.values() if field.entity]
            for name, kind in scenario.event_types.items()
        }
        self._versions = Versions(scenario=scenario.version, rules=rule_set.version, build=origin.build)
        self._parameters = tuple(parameter.default for parameter in scenario.parameters.values())
        self._logged_parameters = {
            name: parameter.default
            for name, parameter in scenario.parameters.items()
            if f"param.{name}" in self._rules.reads
        }
        self.feature_names = (*profile_reads(scenario), *scenario.derived)
        self._feature_set = sha256("\n".join(self.feature_names).encode()).hexdigest()[:16]

    def decide(self, event: AdmittedEvent, profile: Profile, source: Source) -> Decision:
        """The decision on an event, with the profile as it was just before it. Changes neither."""
        kind = event.type
        readings = self._fold.read(profile, event.event_time)
        derived = self._derived[kind](event.fields, event.event_time, readings)
        rules = self._rules.by_type[kind]
        raised = rules.findings(event.fields, event.event_time, readings, derived, self._parameters)
        findings = tuple([value is True for value in raised])
        names = self._rules.names
        clauses = rules.clauses(event.fields, event.event_time, readings, derived, self._parameters, findings, None)
        verdict = self._apply_policy(clauses)
        return Decision(
            event_id=event.event_id,
            type=kind,
            subject=profile.subject,
            event_time=event.event_time,
            source=source,
            outcome=verdict.outcome,
            versions=self._versions,
            group=self._origin.group,
            generation=self._origin.generation,
            feature_set=self._feature_set,
            features=(*map(_number, readings), *map(_number, derived)),
            entities=self._named_entities(event),
            findings=_names_where(names, raised, True),
            unknown=_names_where(names, raised, None),
            failed=_names_where(names, raised, ERROR),
            degraded=verdict.degraded,
            late=event.event_time < profile.clock,
            parameters=self._logged_parameters,
        )

    def _apply_policy(self, clauses: Sequence[object]) -> Verdict:
        """The first clause that holds, or that cannot be known; else approve.

        A clause on a score that is unknown only because no model was ever published does not apply.
        """
        for clause, value, on_score in zip(self.rule_set.policy, clauses, self._rules.clauses_on_score, strict=True):
            if value is True:
                return Verdict(clause.name)
            if value is False or on_score:
                continue
            return Verdict(clause.on_unknown, (f"policy_unknown:{clause.name}",))
        return Verdict("approve")

    def _named_entities(self, event: AdmittedEvent) -> dict[str, str]:
        fields = event.fields
        return {name: value for name in self._entities[event.type] if (value := getattr(fields, name)) is not None}


def _names_where(names: Sequence[str], values: Sequence[object], wanted: object) -> tuple[str, ...]:
    if wanted not in values:  # the usual case, found at C speed
        return ()
    return tuple([name for name, value in zip(names, values, strict=True) if value is wanted])


def _number(value: object) -> float | None:
    """A feature as it is logged: a number, or None for unknown, in error, or not numeric."""
    return float(value) if isinstance(value, int | float) else None
