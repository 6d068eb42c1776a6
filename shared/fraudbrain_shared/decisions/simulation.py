"""The fast tier's core on events in this process: no broker, no store, every subject's profile in memory.

For tuning, tests and notebooks. Parameters have the values at which they start, nothing is known of entities.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from fraudbrain_shared.admission import Admission, Rejected
from fraudbrain_shared.controls import ParameterBook, own_rules
from fraudbrain_shared.decisions.application import Application, Ending
from fraudbrain_shared.decisions.decide import DecisionCore, Origin
from fraudbrain_shared.features import Profile, ProfileFold
from fraudbrain_shared.models import Scorer
from fraudbrain_shared.records import RuleSet, Source
from fraudbrain_shared.scenario.description import Scenario

_ORIGIN: Final = Origin(group="simulation", generation=1, build="simulation")


class Simulation:
    """Decides one event after the other, in the order in which they are given, as the fast tier would.

    `rule_set` replaces the scenario's own rules, `champion` scores. Raises ScenarioError where the rule set does
    not fit the scenario.
    """

    def __init__(self, scenario: Scenario, *, rule_set: RuleSet | None = None, champion: Scorer | None = None) -> None:
        fold = ProfileFold(scenario)
        self._admission = Admission(scenario)
        self._application = Application(scenario, fold)
        self._core = DecisionCore(scenario, rule_set or own_rules(scenario), _ORIGIN, fold)
        self._champion = champion
        self._parameters = ParameterBook(scenario)
        if champion is not None:
            self._parameters.release(champion.version, champion.release.starting_values)
        self._profiles: dict[str, Profile] = {}
        self._taken = 0

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What the features of its decisions are called, in their order."""
        return self._core.feature_names

    @property
    def subjects(self) -> int:
        """How many subjects have a profile."""
        return len(self._profiles)

    def take(self, key: bytes | None, value: bytes | None, append_time_ms: int) -> Ending:
        """What becomes of the next record of the log; `append_time_ms` is when it would have been appended."""
        admitted = self._admission.admit(value, key, append_time_ms)
        offset, self._taken = self._taken, self._taken + 1
        if isinstance(admitted, Rejected):
            return admitted
        subject = self._admission.subject(admitted)
        profile = self._profiles.get(subject)
        if profile is None:
            profile = self._profiles[subject] = Profile(subject)
        source = Source(1, 0, offset, append_time_ms)
        return self._application.apply(
            profile,
            admitted,
            value or b"",
            lambda event, before, readings: self._core.decide(
                event,
                before,
                source,
                parameters=self._parameters.values_for(event),
                champion=self._champion,
                readings=readings,
            ),
        )

    def run(self, records: Iterable[tuple[bytes, bytes, int]]) -> Iterator[Ending]:
        """`take` for each of many records: key, value and append time in UTC ms."""
        return (self.take(*record) for record in records)
