from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fraudbrain_deploy import kafka
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing import EventSource, event_stream
from fraudbrain_deploy.replaying.sending import Sent, send
from fraudbrain_shared.records import DeadLetter, Reason
from fraudbrain_shared.scenario.load import load_scenario
from fraudbrain_shared.topics import Names

Delivered = Callable[[object, object], None]


class Broker:
    """Acknowledges at each poll what is on the way; full with three records."""

    def __init__(self, error: str | None = None) -> None:
        self.records: list[tuple[str, str]] = []
        self.headers: list[dict[str, bytes]] = []
        self._waiting: list[Delivered] = []
        self._error = error

    def list_topics(self, topic: str, timeout: float) -> None:
        pass

    def produce(self, topic: str, value: bytes, key: bytes | None, *, on_delivery: Delivered, headers: Any) -> None:
        if len(self._waiting) == 3:
            raise BufferError
        self._waiting.append(on_delivery)
        self.records.append((topic.rsplit(".", 1)[-1], (key or b"").decode()))
        self.headers += [dict(headers)] if headers else []

    def poll(self, timeout: float) -> int:
        waiting, self._waiting = self._waiting, []
        for delivered in waiting:
            delivered(self._error, None)
        return len(waiting)


@pytest.fixture
def source(tmp_path: Path) -> EventSource:
    """Events of cards a to d, an hour apart, of which the last cannot be mapped; labels known between them."""
    hour = 3_600_000
    events = {
        "event_id": ["1", "2", "3", "4"],
        "type": ["payment"] * 4,
        "event_time": [0, hour, 2 * hour, 3 * hour],
        "card_id": ["a", "b", "c", "d"],
        "terminal_id": ["t"] * 4,
        "amount": [100, 100, 100, None],
    }
    labels = {
        "event_id": ["1", "2", "3"],
        "subject": ["a", "b", "c"],
        "fraud": [False] * 3,
        "known_at": [hour, hour + 1, 90 * hour],
        "source": ["test"] * 3,
    }
    pq.write_table(pa.table(events), tmp_path / "events.parquet")
    pq.write_table(pa.table(labels), tmp_path / "labels.parquet")
    return event_stream(load_scenario("cards"), tmp_path)


def sent_to(broker: Broker, source: EventSource, monkeypatch: pytest.MonkeyPatch, rate: float | None = None) -> Sent:
    monkeypatch.setattr(kafka, "producer", lambda *_, **__: broker)
    return send("nowhere", Names("test"), source, rate=rate, build="test", on_turn=lambda _: None)


@pytest.mark.parametrize("rate", [None, 1_000.0])
def test_a_label_goes_before_the_first_event_that_is_not_before_it(
    source: EventSource, monkeypatch: pytest.MonkeyPatch, rate: float | None
) -> None:
    broker = Broker()
    sent = sent_to(broker, source, monkeypatch, rate)
    assert broker.records == [
        ("dead-letters", ""),
        ("events", "a"),
        ("labels", "1"),
        ("events", "b"),
        ("labels", "2"),
        ("events", "c"),
        ("labels", "3"),
    ]
    assert (sent.events, sent.labels, sent.mapping, sent.acknowledged) == (3, 3, 1, 7)


def test_a_row_that_is_no_event_becomes_a_dead_letter_that_names_file_and_row(
    source: EventSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker()
    sent_to(broker, source, monkeypatch)
    letter = DeadLetter.from_headers(broker.headers[0])
    assert (letter.reason, letter.topic, letter.offset) == (Reason.MAPPING, source.name, 3)


def test_events_are_not_sent_before_they_are_due(source: EventSource, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = sent_to(Broker(), source, monkeypatch, rate=50.0)
    assert sent.finished_ns >= sent.due_ns(2, 50.0)


def test_a_record_that_cannot_be_delivered_ends_the_replay(
    source: EventSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="message timed out"):
        sent_to(Broker("message timed out"), source, monkeypatch)
