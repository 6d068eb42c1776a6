"""One story, told once, and what must hold at its end: traffic flows while the slow tier is killed and robbed.

Killed with -9 in the middle of the log, started again, killed again, its checkpoint removed, started with
batches of another size, stopped cleanly. (Each crash point inside a batch: tests/unit/streaming/test_archive.py.)
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

import msgspec
import pytest

from fraudbrain_deploy import kafka
from fraudbrain_offline.lake import effective_decisions, open_lake, summarize
from fraudbrain_shared.records import DeadLetter, Decision, Label, Reason, Source, Versions
from fraudbrain_streaming.decision_lookup import decision_json
from tests.integration.streaming.slow_tier import TOPICS, SlowTier

pytestmark = pytest.mark.timeout(600)  # the story is told in the first test that asks for it

EVENT_TIME = 1_790_000_000_000  # 2026-09-21
Headers = Sequence[tuple[str, str | bytes | None]]
GARBAGE = (b"", b"{", b"\xff\xfe", b'{"event_id": 1}', b"[" * 5_000)


@dataclass
class Traffic:
    """What was sent. Events have even decisions first and a second, odd one later, near and far."""

    tier: SlowTier
    sent: Counter[str] = field(default_factory=Counter)
    numbers: "count[int]" = field(default_factory=count)

    def send(self, events: int) -> None:
        producer = kafka.producer(self.tier.stack.kafka_bootstrap)

        def produce(topic: str, value: bytes, key: bytes, partition: int, headers: Headers = ()) -> None:
            producer.produce(self.tier.names.topic(topic), value, key, partition, headers=list(headers))
            self.sent[topic] += 1

        for number in [next(self.numbers) for _ in range(events)]:
            card, partition = f"card-{number % 7}", number % 7 % 2
            produce("events", event(number), card.encode(), partition)
            produce("decisions", decision(number, "approve"), card.encode(), partition)
            for earlier in (number, number - 70, number - 700):  # in the same chunk, the same batch, another batch
                if earlier >= 0:
                    produce("decisions", decision(earlier, "decline"), card.encode(), partition)
            produce("labels", label(number), b"k", 0)
        letter = DeadLetter(Reason.FRAMING, "no JSON", "events", 0, 0, EVENT_TIME, "w", "b")
        for garbage in GARBAGE:
            for topic in TOPICS:
                produce(topic, garbage, b"\xff", 0, letter.headers() if topic == "dead-letters" else ())
        assert producer.flush(30) == 0


def event(number: int) -> bytes:
    fields = {"card_id": f"card-{number % 7}", "amount": number}
    return msgspec.json.encode(
        {"event_id": f"e{number}", "type": "payment", "event_time": EVENT_TIME + number, "fields": fields}
    )


def decision(number: int, outcome: str) -> bytes:
    return msgspec.json.encode(
        Decision(
            event_id=f"e{number}",
            type="payment",
            subject=f"card-{number % 7}",
            event_time=EVENT_TIME + number,
            source=Source(1, 0, 0, EVENT_TIME),
            outcome=outcome,  # type: ignore[arg-type]
            versions=Versions("s", "r", "b"),
            group="a",
            generation=1,
            feature_set="f",
            features=(1.5, None),
        )
    )


def label(number: int) -> bytes:
    return msgspec.json.encode(Label(f"e{number}", f"card-{number % 7}", False, EVENT_TIME + number, "bank"))


@pytest.fixture(scope="module")
def sent(slow_tier: SlowTier) -> Traffic:
    """The story: the second start has the first one's checkpoint, the third has none."""
    traffic = Traffic(slow_tier)
    traffic.send(1_400)
    for batches in (2, 3):
        slow_tier.start(records_per_batch=700)
        slow_tier.wait(lambda batches=batches: slow_tier.batches() >= batches, every_s=0.05)  # type: ignore[misc]
        slow_tier.kill()
        assert not slow_tier.at_the_ends()
        traffic.send(200)
    shutil.rmtree(slow_tier.checkpoints)
    slow_tier.start(records_per_batch=5_000)
    slow_tier.wait(slow_tier.at_the_ends, every_s=0.5)
    assert slow_tier.stop() == 0
    return traffic


@pytest.mark.parametrize("topic", TOPICS)
def test_the_lake_holds_each_record_once(sent: Traffic, topic: str) -> None:
    with open_lake(sent.tier.lake) as lake:
        places = 'count(*), count(DISTINCT ("partition", "offset"))'
        held = lake.execute(f"SELECT {places} FROM {topic.replace('-', '_')}").fetchall()
    assert held == [(sent.sent[topic], sent.sent[topic])]


def test_each_event_has_one_effective_decision_the_first(sent: Traffic) -> None:
    outcomes = effective_decisions(sent.tier.lake).aggregate("outcome, count(*)").fetchall()
    assert outcomes == [("approve", 1_800)]


def test_hbase_shows_the_first_decision_beside_its_event(sent: Traffic) -> None:
    host, port = sent.tier.stack.thrift_address
    for number in range(0, 1_800, 97):
        found = decision_json(f"{host}:{port}", sent.tier.names.space, f"card-{number % 7}", f"e{number}")
        assert found is not None
        row = msgspec.json.decode(found)
        assert row["event"] == msgspec.json.decode(event(number))
        assert row["decision"] == msgspec.json.decode(decision(number, "approve"))


def test_garbage_is_kept_with_its_bytes_and_reason(sent: Traffic) -> None:
    with open_lake(sent.tier.lake) as lake:
        rows = lake.execute("SELECT value, reason FROM events WHERE NOT admitted").fetchall()
        letters = lake.execute("SELECT DISTINCT reason, len(headers) FROM dead_letters").fetchall()
    assert {bytes(value) for value, _ in rows} == set(GARBAGE)
    assert {reason for _, reason in rows} == {"framing", "schema"}
    assert letters == [("framing", 8)]


def test_progress_reaches_the_ends(sent: Traffic) -> None:
    progress = sent.tier.progress()
    assert progress is not None
    assert (progress.tier, progress.worker, progress.ready) == ("streaming", "archive", True)
    assert progress.offsets == sent.tier.ends()


def test_the_summary_counts_distinct_events(sent: Traffic) -> None:
    summary = summarize(sent.tier.lake)
    assert summary["decisions"].distinct_events == summary["events"].distinct_events == 1_800
    assert str(summary["events"].first_date) == str(summary["events"].last_date) == "2026-09-21"


def test_a_clean_stop_dumps_no_stack(sent: Traffic) -> None:
    told = sent.tier.told_since_start()
    assert ": archive batch=" in told
    for unwanted in ("Exception", "Traceback", "\tat ", "ERROR"):
        assert unwanted not in told, told[max(0, told.index(unwanted) - 500) :][:1500]


def test_the_log_shows_no_payload(sent: Traffic) -> None:
    assert "card-" not in sent.tier.told()
