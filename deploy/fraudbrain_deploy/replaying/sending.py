"""Sends a source's events at a pace, and each label once it is known.

Paced sending is open loop: event `i` is due at start + i / rate, whatever became of those before it, and
what is behind is sent at once. So a slow answer never thins out the questions (no coordinated omission).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from secrets import token_hex

from fraudbrain_deploy import kafka
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing import Batch, EventSource, MappingReject
from fraudbrain_deploy.importing.payloads import BATCH
from fraudbrain_shared.records import REPLAY_HEADER, DeadLetter, Reason
from fraudbrain_shared.topics import Names

NO_PROGRESS_S = 150.0  # longer than the producer's own limit for one record
_TURN = 256  # records between two looks at what was acknowledged, at full pace
Headers = list[tuple[str, str | bytes | None]]


@dataclass(slots=True)
class Sent:
    """How far sending has come. Times are of the monotonic clock, which all processes of a machine share."""

    events: int = 0
    labels: int = 0
    mapping: int = 0
    acknowledged: int = 0
    started_ns: int = 0
    finished_ns: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def records(self) -> int:
        """All that was handed to the producer."""
        return self.events + self.labels + self.mapping

    def due_ns(self, number: int, rate: float) -> int:
        """When event `number`, from 0, was to be sent."""
        return self.started_ns + round(number * 1e9 / rate)


def send(
    bootstrap: str,
    names: Names,
    source: EventSource,
    *,
    rate: float | None,
    build: str,
    on_turn: Callable[[Sent], None],
) -> Sent:
    """Sends everything and returns when all of it is acknowledged. `rate` is events/s, None as fast as it goes.

    `on_turn` is called often. Raises UserError when a record could not be delivered.
    """
    sender = Sender(bootstrap, names, on_turn, paced=rate is not None)
    sender.put_aside(source, build)
    sender.stream(source, rate)
    sender.finish()
    return sender.sent


class Sender:
    """Hands records to the broker and waits for what it says of them. `on_turn` is called often."""

    def __init__(self, bootstrap: str, names: Names, on_turn: Callable[[Sent], None], *, paced: bool) -> None:
        self.sent = Sent()
        self._producer = kafka.producer(bootstrap, settings={"linger.ms": 1 if paced else 5})
        self._events, self._labels = names.topic("events"), names.topic("labels")
        self._dead_letters = names.topic("dead-letters")
        for topic in (self._events, self._labels):  # connected before the first event is due
            self._producer.list_topics(topic, timeout=30)
        self._on_turn = on_turn
        self._headers: Headers = [(REPLAY_HEADER, token_hex(4))]

    def put_aside(self, source: EventSource, build: str) -> None:
        """Dead letters for the rows that are no events."""
        for reject in source.rejects():
            letter = _dead_letter(source.name, reject, build)
            self._produce(self._dead_letters, None, reject.value, [*letter.headers()])
            self.sent.mapping += 1

    def stream(self, source: EventSource, rate: float | None) -> None:
        """Events in order and labels as they become known; the labels known only later at the end."""
        sent, labels = self.sent, DueRecords(source.label_batches())
        size = BATCH if rate is None else max(1, min(BATCH, int(rate / 50)))  # making a batch delays its first event
        self.begin()
        for batch in source.event_batches(size):
            for due, key, value in zip(batch.due, batch.keys, batch.values, strict=True):
                if due >= labels.next_due:
                    self._send_labels(labels, due)
                if rate is not None:
                    self._wait_until(sent.due_ns(sent.events, rate))
                elif sent.events % _TURN == 0:
                    self._turn(0)
                self._produce(self._events, key, value, self._headers)
                sent.events += 1
        self._send_labels(labels, DueRecords.END)

    def begin(self) -> None:
        """The first event is due now."""
        self.sent.started_ns = time.monotonic_ns()

    def step(self, events: "DueRecords", labels: "DueRecords", end_ms: int, headers: Headers) -> None:
        """All that is due before `end_ms`, acknowledged when it returns; events carry the headers."""
        for number, (key, value) in enumerate(events.until(end_ms - 1)):
            if number % _TURN == 0:
                self._turn(0)
            self._produce(self._events, key, value, headers)
            self.sent.events += 1
        self._send_labels(labels, end_ms - 1)
        self.finish()

    def finish(self) -> None:
        """Waits for every acknowledgement."""
        before, deadline = -1, time.monotonic()
        while self.sent.acknowledged < self.sent.records:
            if self.sent.acknowledged != before:
                before, deadline = self.sent.acknowledged, time.monotonic() + NO_PROGRESS_S
            elif time.monotonic() > deadline:
                left = self.sent.records - self.sent.acknowledged
                raise UserError(f"The broker acknowledged nothing for {NO_PROGRESS_S:.0f} s; {left:,} records wait.")
            self._turn(0.1)
        self.sent.finished_ns = time.monotonic_ns()

    def _send_labels(self, labels: "DueRecords", until: int) -> None:
        for key, value in labels.until(until):
            self._produce(self._labels, key, value)
            self.sent.labels += 1

    def _produce(self, topic: str, key: bytes | None, value: bytes, headers: Headers | None = None) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=self._delivered, headers=headers)
                return
            except BufferError:  # its bound is reached; every record in it ends, acknowledged or failed
                self._turn(0.05)

    def _delivered(self, error: object, _: object) -> None:
        self.sent.acknowledged += 1
        if error is not None:
            self.sent.failures.append(str(error))

    def _wait_until(self, due_ns: int) -> None:
        while (left_s := (due_ns - time.monotonic_ns()) / 1e9) > 0:
            if left_s > 0.002:
                self._turn(left_s - 0.001)  # the client counts in whole milliseconds
            else:
                time.sleep(left_s)

    def _turn(self, timeout_s: float) -> None:
        self._producer.poll(timeout_s)
        if self.sent.failures:
            raise UserError(
                f"{len(self.sent.failures)} records could not be delivered: {self.sent.failures[0]}.",
                "`fraudbrain stack status` says whether the broker is well.",
            )
        self._on_turn(self.sent)


class DueRecords:
    """Batches as single records, taken when they are due."""

    END = 2**63

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._rows = (row for batch in batches for row in zip(batch.due, batch.keys, batch.values, strict=True))
        self.next_due = 0
        self._advance()

    def until(self, moment: int) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of what is due by then, each once."""
        while self.next_due <= moment and self._next is not None:
            yield self._next[1:]
            self._advance()

    def _advance(self) -> None:
        self._next = next(self._rows, None)
        self.next_due = self.END if self._next is None else self._next[0]


def _dead_letter(source: str, reject: MappingReject, build: str) -> DeadLetter:
    return DeadLetter(
        reason=Reason.MAPPING,
        detail=reject.cause,
        topic=source,
        partition=0,
        offset=reject.row,
        append_time=0,
        worker="replay",
        build=build,
    )
