"""Which rules decide which event: by append time, whoever decides it and when."""

from collections.abc import Iterable
from random import Random

import msgspec
import pytest

from fraudbrain_realtime.ports import ControlRecord, Message
from fraudbrain_realtime.stores.memory import MemoryStore
from fraudbrain_shared.controls import GRACE_MS, own_rules
from fraudbrain_shared.records import ClauseText, Decision, RuleSet, RuleText
from fraudbrain_shared.scenario import Scenario, load_scenario
from tests.unit.realtime.fake_broker import FakeLog
from tests.unit.realtime.test_loop import Worker, payment

T0 = 1_700_000_000_000


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("cards")


def rules(version: str, when: str = "event.amount > 1") -> RuleSet:
    return RuleSet(version, (RuleText("some", when),), (ClauseText("decline", "finding.some"),))


def record(offset: int, append_time: int, rule_set: RuleSet | None) -> ControlRecord:
    value = None if rule_set is None else msgspec.json.encode(rule_set)
    return ControlRecord("rules", offset, b"live", value, append_time)


def events(*append_times: int, partitions: int = 1) -> list[Message]:
    """One event for each append time, dealt out to the partitions."""
    return [
        Message(number % partitions, number // partitions, time, b"c1", payment(f"e{number}", time=T0))
        for number, time in enumerate(append_times)
    ]


class Life:
    """One worker after another on the same log; `topic` is what stands on `rules`."""

    def __init__(self, scenario: Scenario, log: FakeLog) -> None:
        self._scenario = scenario
        self._store = MemoryStore()
        self.log = log
        self.topic: list[ControlRecord] = []

    def worker(self) -> Worker:
        made = Worker(self._scenario, self.log, self._store, Random(1))
        made.feed.start(self.topic)
        return made

    def versions(self) -> dict[int, str]:
        """By append time the rules that decided."""
        values = self.log.values("decisions")
        decisions = [msgspec.json.decode(value, type=Decision) for value in values]
        return {each.source.append_time: each.versions.rules for each in decisions}


def test_rules_act_from_exactly_the_grace_after_their_record(scenario: Scenario) -> None:
    begin = T0 + GRACE_MS
    life = Life(scenario, FakeLog(events(T0 - 1, T0, begin - 1, begin, begin + 1)))
    life.topic = [record(0, T0, rules("new"))]
    life.worker().run_to_end()
    old = own_rules(scenario).version
    assert life.versions() == {T0 - 1: old, T0: old, begin - 1: old, begin: "new", begin + 1: "new"}


@pytest.mark.parametrize("seed", range(5))
def test_events_of_one_poll_are_each_decided_by_the_rules_of_their_time(scenario: Scenario, seed: int) -> None:
    rng = Random(seed)
    times = sorted(rng.randrange(T0, T0 + 30_000) for _ in range(40))
    rng.shuffle(lagging := times[:20])
    log = FakeLog(events(*(time for pair in zip(lagging, times[20:], strict=True) for time in pair), partitions=2))
    life = Life(scenario, log)
    life.topic = [record(at, T0 + 6_000 * at, rules(f"v{at}")) for at in range(4)]
    life.worker().run_to_end()
    for time, version in life.versions().items():
        due = (time - GRACE_MS - T0) // 6_000
        assert version == (own_rules(scenario).version if due < 0 else f"v{min(due, 3)}")


def test_a_worker_that_comes_back_decides_old_events_by_the_rules_of_their_time(scenario: Scenario) -> None:
    life = Life(scenario, FakeLog(events(T0 + 1, T0 + 10_000)))
    life.worker().run_to_end()
    life.topic = [record(0, T0 + 5_000, rules("v0")), record(1, T0 + 15_000, rules("v1"))]
    life.log.events += [
        Message(0, 2 + at, T0 + time, b"c1", payment(f"l{at}", time=T0))
        for at, time in enumerate((6_999, 7_000, 16_999, 17_000))
    ]
    life.worker().run_to_end()
    old = own_rules(scenario).version
    assert {time - T0: version for time, version in life.versions().items()} == {
        **{1: old, 10_000: old},  # by the first worker, before anybody had published
        **{6_999: old, 7_000: "v0", 16_999: "v0", 17_000: "v1"},
    }


def test_rules_read_too_late_act_from_the_next_event_on_and_are_counted(scenario: Scenario) -> None:
    worker = Life(scenario, FakeLog([])).worker()
    assert decided(worker, events(T0 + 9_000)) == [own_rules(scenario).version]
    worker.feed.start([record(0, T0 + 7_000, rules("late"))])
    assert worker.controls.counts == {"rules_read_late": 1}
    assert decided(worker, events(T0 + 9_000, T0 + 8_999)) == ["late", own_rules(scenario).version]
    worker.feed.start([record(1, T0 + 7_001, rules("in time"))])
    assert worker.controls.counts == {"rules_read_late": 1}
    assert decided(worker, events(T0 + 9_000, T0 + 9_001)) == ["late", "in time"]


@pytest.mark.parametrize("bad", [rules("bad", "event.amoun > 1"), b"{", b'{"version": 7}'])
def test_a_bad_rule_set_is_rejected_with_its_cause_and_the_old_stays(scenario: Scenario, bad: RuleSet | bytes) -> None:
    worker = Life(scenario, FakeLog([])).worker()
    value = bad if isinstance(bad, bytes) else msgspec.json.encode(bad)
    worker.feed.start([record(0, T0, rules("good"))])
    worker.feed.start([ControlRecord("rules", 1, b"live", value, T0 + 10_000)])
    assert worker.controls.versions == {"rules": "good"}
    [problem] = worker.controls.problems
    assert problem.startswith("rules/1 rejected: ")
    assert decided(worker, events(T0 + 20_000)) == ["good"]
    worker.feed.start([record(2, T0 + 30_000, rules("better"))])
    assert decided(worker, events(T0 + 31_999, T0 + 32_000)) == ["good", "better"]


def test_a_bad_rule_set_of_the_past_is_passed_over_by_who_comes_back(scenario: Scenario) -> None:
    life = Life(scenario, FakeLog(events(T0 + 1, T0 + 12_000, T0 + 22_000)))
    bad = rules("bad", "event.amoun > 1")
    life.topic = [record(0, T0 - 9_000, rules("good")), record(1, T0 + 10_000, bad), record(2, T0 + 20_000, rules("v"))]
    life.worker().run_to_end()
    assert list(life.versions().values()) == ["good", "good", "v"]


def test_a_record_without_value_brings_the_scenarios_own_rules_back(scenario: Scenario) -> None:
    worker = Life(scenario, FakeLog([])).worker()
    worker.feed.start([record(0, T0, rules("v0")), record(1, T0 + 10_000, None)])
    assert decided(worker, events(T0 + 11_999, T0 + 12_000)) == ["v0", own_rules(scenario).version]


def test_only_the_newest_of_a_long_past_is_compiled_at_a_start(scenario: Scenario) -> None:
    life = Life(scenario, FakeLog([]))
    unfit = [record(at, T0 + at, rules(f"v{at}", "nonsense")) for at in range(1_000)]
    life.topic = [*unfit, record(1_000, T0 + 1_000, rules("v"))]
    worker = life.worker()
    assert (worker.controls.versions, worker.controls.problems) == ({"rules": "v"}, ())


def test_in_a_stepped_replay_the_step_decides_and_not_the_append_time(scenario: Scenario) -> None:
    worker = Life(scenario, FakeLog([])).worker()
    worker.controls.update(record(0, T0, rules("v0")))
    worker.controls.settle()
    replayed = [msgspec.structs.replace(each, step="r|1", clock=T0) for each in events(T0 - 5_000)]
    assert decided(worker, replayed) == ["v0"]
    assert decided(worker, events(T0 - 5_000)) == [own_rules(scenario).version]


def decided(worker: Worker, messages: Iterable[Message]) -> list[str]:
    """The rules by which the controls decide on these events."""
    from fraudbrain_shared.admission import Admission, Rejected
    from fraudbrain_shared.features import Profile
    from fraudbrain_shared.records import Source

    admission = Admission(load_scenario("cards"))
    versions = []
    for message in messages:
        event = admission.admit(message.value, message.key, message.append_time)
        assert not isinstance(event, Rejected)
        source = Source(1, message.partition, message.offset, message.append_time)
        versions.append(worker.controls.decide(event, Profile("c1"), source, message).versions.rules)
    return versions
