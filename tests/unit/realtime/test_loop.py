"""The loop's laws on a log that acknowledges late and workers that die at any moment."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from random import Random

import msgspec
import pytest

from fraudbrain_realtime.controls import ControlFeed, Controls
from fraudbrain_realtime.limits import Limits
from fraudbrain_realtime.loop import Loop
from fraudbrain_realtime.metrics import Tally
from fraudbrain_realtime.ports import ControlRecord, Message, StoreUnavailable
from fraudbrain_realtime.stores.memory import MemoryStore
from fraudbrain_shared.admission import MAX_DEPTH
from fraudbrain_shared.controls import own_rules
from fraudbrain_shared.decisions import DecisionCore, Origin
from fraudbrain_shared.features import Profile, ProfileFold, decode_profile
from fraudbrain_shared.records import DeadLetter, Decision, Reason
from fraudbrain_shared.records.dead_letter import History
from fraudbrain_shared.scenario import Scenario, load_scenario
from tests.unit.realtime.fake_broker import FakeBroker, FakeLog
from tests.unit.realtime.fake_keeper import FakeKeeper, NoJournal

T0 = 1_700_000_000_000


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("cards")


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


class Worker:
    """A loop on a fake log, as the real worker builds it."""

    def __init__(
        self, scenario: Scenario, log: FakeLog, store: MemoryStore, rng: Random, limits: Limits | None = None
    ) -> None:
        fold = ProfileFold(scenario)
        origin = Origin(group="a", generation=1, build="test")
        self.controls = Controls(scenario, lambda rules: DecisionCore(scenario, rules, origin, fold))
        self.feed = ControlFeed(self.controls, lambda wait_s: [])
        self.broker = FakeBroker(log, lambda: self.loop, rng)
        self.loop = Loop(
            scenario=scenario,
            fold=fold,
            controls=self.controls,
            feed=self.feed,
            broker=self.broker,
            store=store,
            keeper=FakeKeeper(store),
            journal=NoJournal(),
            clock=FakeClock(),
            epoch=1,
            events_topic="events",
            worker="w",
            build="test",
            limits=Limits(flush_interval_s=0.05) if limits is None else limits,
            tally=Tally(lambda: T0),
        )

    def run_to_end(self) -> None:
        while not self.broker.exhausted:
            self.loop.turn(0)
        assert self.loop.settle(deadline_s=1_000)


def payment(event_id: str, *, card: str = "c1", amount: int = 1_000, time: int = T0) -> bytes:
    fields = {"card_id": card, "terminal_id": "t1", "amount": amount}
    return msgspec.json.encode({"event_id": event_id, "type": "payment", "event_time": time, "fields": fields})


def message(offset: int, value: bytes, *, key: str = "c1", partition: int = 0) -> Message:
    return Message(partition, offset, T0 + 10_000_000, key.encode(), value)


def decisions(log: FakeLog) -> list[Decision]:
    return [msgspec.json.decode(value, type=Decision) for value in log.values("decisions")]


def dead_letters(log: FakeLog) -> list[tuple[DeadLetter, bytes]]:
    return [
        (DeadLetter.from_headers(dict(sent.headers)), sent.value)
        for sent in log.written
        if sent.topic == "dead-letters"
    ]


def put_aside(log: FakeLog) -> set[int]:
    return {letter.offset for letter, _ in dead_letters(log)}


def run(scenario: Scenario, *events: Message, store: MemoryStore | None = None) -> FakeLog:
    log = FakeLog(list(events))
    Worker(scenario, log, MemoryStore() if store is None else store, Random(0)).run_to_end()
    return log


def test_an_event_is_decided_on_the_profile_before_it(scenario: Scenario) -> None:
    log = run(scenario, message(0, payment("e1", amount=500)), message(1, payment("e2", amount=700)))
    first, second = decisions(log)
    names = DecisionCore(scenario, own_rules(scenario), Origin("a", 1, "t"), ProfileFold(scenario)).feature_names
    count, total = names.index("spend_1d_count"), names.index("spend_1d_sum")
    assert (first.features[count], first.features[total]) == (0, 0)
    assert (second.features[count], second.features[total]) == (1, 500)


def test_the_same_payload_again_is_a_duplicate_and_another_payload_a_conflict(scenario: Scenario) -> None:
    other = payment("e1", amount=2)
    log = run(scenario, message(0, payment("e1")), message(1, payment("e1")), message(2, other))
    assert [decision.source.offset for decision in decisions(log)] == [0]
    [(letter, value)] = dead_letters(log)
    assert (letter.reason, letter.offset, value) == (Reason.CONFLICT, 2, other)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", Reason.FRAMING),
        (b"\xff\xfe", Reason.FRAMING),
        (b"{", Reason.FRAMING),
        (b"[]", Reason.SCHEMA),
        (b"{}", Reason.SCHEMA),
        (payment("e").replace(b"payment", b"paymint"), Reason.UNKNOWN_TYPE),
        (payment("e", amount=-1), Reason.RANGE),
        (payment("e").replace(b'"amount":1000', b'"amount":"4111111111111111"'), Reason.SCHEMA),
        (payment("e", time=T0 + 10_000_000 + 300_001), Reason.TOO_NEW),
        (payment("e", card="c2"), Reason.KEY_MISMATCH),
        (b" " * 70_000, Reason.OVERSIZE),
    ],
)
def test_what_cannot_be_decided_is_put_aside_whole(scenario: Scenario, value: bytes, reason: Reason) -> None:
    log = run(scenario, message(0, value), message(1, payment("good")))
    [(letter, kept)] = dead_letters(log)
    assert letter.reason is reason
    assert kept == value[:1024] if reason is Reason.OVERSIZE else kept == value
    assert "4111" not in letter.detail
    assert [decision.event_id for decision in decisions(log)] == ["good"]


def test_an_event_that_is_nested_too_deep_is_put_aside_with_the_limit_it_broke(scenario: Scenario) -> None:
    value = payment("e1")[:-1] + b',"more":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    [(letter, kept)] = dead_letters(run(scenario, message(0, value)))
    assert (letter.reason, letter.detail) == (Reason.FRAMING, f"nested more than {MAX_DEPTH} deep")
    assert kept == value


def test_an_original_is_kept_untouched_with_its_headers(scenario: Scenario) -> None:
    headers = (("trace", b"7"), ("trace", b"8"), ("empty", None), ("replay.of", b"events/0/9/1"))
    log = run(scenario, Message(0, 3, T0, b"\xff", b"{", headers=headers))
    [sent] = log.written
    assert (sent.key, sent.value, tuple(sent.headers[:4])) == (b"\xff", b"{", headers)
    assert all(name.startswith("dlq.") for name, _ in sent.headers[4:])


def test_an_oversize_original_can_be_known_again_from_what_is_kept(scenario: Scenario) -> None:
    value = b" " * 70_000
    [(letter, kept)] = dead_letters(run(scenario, message(0, value)))
    assert (kept, letter.length, letter.sha256) == (value[:1024], 70_000, sha256(value).hexdigest())


def test_a_dead_letter_counts_those_of_the_event_before_it(scenario: Scenario) -> None:
    first = run(scenario, message(0, b"{"))
    [(letter, _)] = dead_letters(first)
    assert (letter.attempt, letter.first_seen, letter.control_versions["rules"]) == (
        1,
        letter.append_time,
        own_rules(scenario).version,
    )
    again = History(letter.attempt, letter.first_seen).headers()
    [(letter, _)] = dead_letters(run(scenario, Message(0, 8, T0 + 99_000_000, b"c1", b"{", headers=again)))
    assert (letter.attempt, letter.first_seen) == (2, T0 + 10_000_000)


@pytest.mark.parametrize("text", [b"", b"x", b"-1", b"9" * 40, b"\xff", None])
def test_a_history_that_is_none_of_ours_counts_as_nothing(scenario: Scenario, text: bytes | None) -> None:
    headers = (("dlq.attempt", text), ("dlq.first_seen", text), ("dlq.reason", b"mine"))
    log = run(scenario, Message(0, 0, T0, b"c1", b"{", headers=headers))
    [(letter, _)] = dead_letters(log)
    assert (letter.attempt, letter.first_seen, letter.reason) == (1, T0, Reason.FRAMING)
    assert len({name for name, _ in log.written[0].headers}) == len(log.written[0].headers)


def test_a_worker_that_restarts_repeats_nothing_that_was_flushed(scenario: Scenario) -> None:
    log = FakeLog([message(offset, payment(f"e{offset}", time=T0 + offset)) for offset in range(50)])
    store = MemoryStore()
    Worker(scenario, log, store, Random(1)).run_to_end()
    log.committed.clear()  # flushed, but the commit was lost
    Worker(scenario, log, store, Random(2)).run_to_end()
    assert len(decisions(log)) == 50


@pytest.mark.parametrize("seed", range(60))
def test_crashes_lose_nothing_and_count_nothing_twice(scenario: Scenario, seed: int) -> None:
    rng = Random(seed)
    events = random_events(rng)
    undisturbed, quiet = FakeLog(list(events)), MemoryStore()
    Worker(scenario, undisturbed, quiet, Random(0)).run_to_end()

    log, store = FakeLog(list(events)), MemoryStore()
    for _ in range(6):
        worker = Worker(scenario, log, store, rng)
        for _ in range(rng.randint(1, 30)):
            worker.loop.turn(0)
        worker.broker.crash()
    Worker(scenario, log, store, rng).run_to_end()

    assert effective(log) == effective(undisturbed)
    assert {letter.offset for letter, _ in dead_letters(log)} == {
        letter.offset for letter, _ in dead_letters(undisturbed)
    }
    assert profiles(store, events) == profiles(quiet, events)


def random_events(rng: Random) -> list[Message]:
    """Payments of four cards, some late, some repeated, some repeated with another payload, some garbage."""
    events: list[Message] = []
    for offset in range(120):
        card = f"c{rng.randrange(4)}"
        value = payment(f"e{offset}", card=card, amount=rng.randint(1, 90_000), time=T0 + rng.randrange(10**9) // 100)
        past = [event for event in events if event.key == card.encode() and event.value]
        if past and rng.random() < 0.1:
            value = past[-1].value or b""
            if rng.random() < 0.3:
                value = value.replace(b'"amount":', b'"amount":1')
        elif rng.random() < 0.05:
            value = b"garbage"
        events.append(message(offset, value, key=card))
    return events


def effective(log: FakeLog) -> dict[int, bytes]:
    """The decisions by source offset; every repetition must say the same."""
    found: dict[int, bytes] = {}
    for value in log.values("decisions"):
        offset = msgspec.json.decode(value, type=Decision).source.offset
        assert found.setdefault(offset, value) == value
    return found


def profiles(store: MemoryStore, events: list[Message]) -> dict[str, Profile]:
    subjects = sorted({(event.key or b"").decode() for event in events})
    return {subject: decode_profile(row) for subject, row in store.load(0, subjects).items()}


class Flapping(MemoryStore):
    """Answers no reads while it is away."""

    is_away = True

    def load(self, partition: int, subjects: Sequence[str], within_s: float = 0.0) -> dict[str, bytes]:
        if self.is_away:
            raise StoreUnavailable("away")
        return super().load(partition, subjects)

    def scan(self, partition: int) -> Iterator[dict[str, bytes]]:
        if self.is_away:
            raise StoreUnavailable("away")
        yield from super().scan(partition)


def test_without_its_profile_an_event_is_decided_degraded_and_folded_once_the_store_is_back(scenario: Scenario) -> None:
    events = [message(offset, payment(f"e{offset}", time=T0 + offset)) for offset in range(20)]
    log, store = FakeLog(events), Flapping()
    worker = Worker(scenario, log, store, Random(0))
    while not worker.broker.exhausted:
        worker.loop.turn(0)
    assert worker.loop.counts["held"] == 20
    assert not worker.loop.settle(deadline_s=2)
    made = decisions(log)
    assert len(made) == 20
    assert {decision.degraded[-1] for decision in made} == {"profile_unavailable"}
    assert {value for decision in made for value in decision.features[:3]} == {None}
    assert log.committed == {}
    store.is_away = False
    assert_same_profiles(scenario, worker, log, store, events)


def assert_same_profiles(
    scenario: Scenario, worker: Worker, log: FakeLog, store: MemoryStore, events: list[Message]
) -> None:
    """The worker, once it has caught up, has folded what an undisturbed one folds, and committed all."""
    undisturbed, quiet = FakeLog(list(events)), MemoryStore()
    Worker(scenario, undisturbed, quiet, Random(0)).run_to_end()
    for _ in range(1_000):
        worker.loop.turn(0)
        if "held" not in worker.loop.counts and worker.broker.exhausted:
            break
    assert worker.loop.settle(deadline_s=1_000)
    assert profiles(store, events) == profiles(quiet, events)
    assert log.committed == undisturbed.committed


@pytest.mark.parametrize("seed", range(40))
def test_a_store_that_comes_and_goes_and_workers_that_die_leave_every_counter_right(
    scenario: Scenario, seed: int
) -> None:
    rng = Random(seed)
    events = random_events(rng)
    log, store = FakeLog(list(events)), Flapping()
    for _ in range(5):
        worker = Worker(scenario, log, store, rng)
        for _ in range(rng.randint(1, 40)):
            store.is_away = rng.random() < 0.6
            worker.loop.turn(0)
        worker.broker.crash()
    store.is_away = False
    assert_same_profiles(scenario, Worker(scenario, log, store, rng), log, store, events)
    undisturbed = FakeLog(list(events))
    Worker(scenario, undisturbed, MemoryStore(), Random(0)).run_to_end()
    assert_as_undisturbed_or_degraded(log, undisturbed)


def assert_as_undisturbed_or_degraded(log: FakeLog, undisturbed: FakeLog) -> None:
    right = {decision.source.offset: decision for decision in decisions(undisturbed)}
    accounted = {decision.source.offset for decision in decisions(log)}
    assert accounted >= set(right)
    for decision in decisions(log):
        assert decision.degraded or decision == right[decision.source.offset]


def test_at_the_bound_no_more_is_taken_until_the_store_is_back(scenario: Scenario) -> None:
    events = [message(offset, payment(f"e{offset}", time=T0 + offset)) for offset in range(60)]
    log, store = FakeLog(events), Flapping()
    worker = Worker(scenario, log, store, Random(0), Limits(flush_interval_s=0.05, held=10))
    for _ in range(100):
        worker.loop.turn(0)
    assert 10 <= worker.loop.counts["held"] < 15  # a poll brings up to five
    assert worker.loop.problems
    store.is_away = False
    assert_same_profiles(scenario, worker, log, store, events)
    assert worker.loop.problems == ()


@pytest.mark.parametrize("seed", range(10))
def test_profiles_that_were_put_away_are_found_again(scenario: Scenario, seed: int) -> None:
    rng = Random(seed)
    events = [
        message(offset, payment(f"e{offset}", card=f"c{card}", time=T0 + offset), key=f"c{card}")
        for offset, card in enumerate(rng.randrange(40) for _ in range(300))
    ]
    log, store = FakeLog(list(events)), MemoryStore()
    worker = Worker(scenario, log, store, rng, Limits(flush_interval_s=0.05, profiles=12))
    assert_same_profiles(scenario, worker, log, store, events)
    assert effective(log) == effective(undisturbed_log(scenario, events))
    assert worker.loop.counts["profiles"] < 40


def undisturbed_log(scenario: Scenario, events: list[Message]) -> FakeLog:
    log = FakeLog(list(events))
    Worker(scenario, log, MemoryStore(), Random(0)).run_to_end()
    return log


def test_a_store_that_takes_no_writes_holds_back_the_commit(scenario: Scenario) -> None:
    class ReadOnly(MemoryStore):
        def save(self, partition: int, rows: object, timestamp: int) -> None:
            raise StoreUnavailable("read only")

    log = FakeLog([message(0, payment("e1"))])
    worker = Worker(scenario, log, ReadOnly(), Random(0))
    for _ in range(50):
        worker.loop.turn(0)
    assert len(decisions(log)) == 1
    assert log.committed == {}


def test_a_revoked_partition_is_flushed_and_committed(scenario: Scenario) -> None:
    log, store = FakeLog([message(0, payment("e1"))]), MemoryStore()
    worker = Worker(scenario, log, store, Random(3))
    while not worker.broker.exhausted:
        worker.loop.turn(0)
    worker.broker.revoke([0])
    assert set(store.load(0, ["c1"])) == {"c1"}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ending", ["revoked", "stopped"])
def test_what_is_held_is_folded_and_flushed_before_a_partition_is_given_up(
    scenario: Scenario, ending: str, seed: int
) -> None:
    events = [message(offset, payment(f"e{offset}", time=T0 + offset)) for offset in range(20)]
    log, store = FakeLog(events), Flapping()
    worker = Worker(scenario, log, store, Random(seed))
    while not worker.broker.exhausted:
        worker.loop.turn(0)
    assert worker.loop.counts["held"] == 20
    store.is_away = False
    if ending == "revoked":
        worker.broker.revoke([0])
    else:
        assert worker.loop.settle(deadline_s=1_000)
    assert profiles(store, events)["c1"].last_applied == 19


def test_a_bad_rule_set_is_rejected_and_the_old_one_stays(scenario: Scenario) -> None:
    controls = Worker(scenario, FakeLog([]), MemoryStore(), Random(0)).controls
    before = controls.versions
    for value in (b"{", b"{}", b'{"version":"2","rules":[{"name":"x","when":"event.amoun > 1"}],"policy":[]}'):
        controls.update(ControlRecord("rules", 0, b"live", value))
        controls.settle()
        assert controls.versions == before
        assert "rules/0 rejected" in controls.problems[-1]
    good = b'{"version":"2","rules":[{"name":"x","when":"event.amount > 1"}],"policy":[]}'
    controls.update(ControlRecord("rules", 3, b"live", good))
    controls.settle()
    assert controls.versions == {"rules": "2"}


def test_a_conflict_of_a_type_that_is_not_decided_is_put_aside_though_it_was_held() -> None:
    rides = load_scenario("rides")
    fields = {"driver_id": "d", "trip_id": "t", "latitude": 1.0, "longitude": 2.0}
    ping = msgspec.json.encode({"event_id": "p", "type": "gps_ping", "event_time": T0, "fields": fields})
    log, store = FakeLog([message(0, ping, key="d"), message(1, ping.replace(b"2.0", b"3.0"), key="d")]), Flapping()
    worker = Worker(rides, log, store, Random(0))
    while not worker.broker.exhausted:
        worker.loop.turn(0)
    assert worker.loop.counts["held"] == 2
    store.is_away = False
    for _ in range(100):
        worker.loop.turn(0)
    assert [(letter.reason, letter.offset) for letter, _ in dead_letters(log)] == [(Reason.CONFLICT, 1)]
    assert (worker.loop.counts["folded"], worker.loop.counts["dead_letters"]) == (1, 1)
    assert worker.loop.settle(deadline_s=1_000)
