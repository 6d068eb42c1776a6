"""A log in memory for the loop's tests: acknowledges late, and forgets at a crash what was in flight."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from fraudbrain_realtime.ports import Headers, Message, Ownership


@dataclass
class Sent:
    """A record on its way or written."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers
    partition: int | None
    acked: Callable[[], None]


@dataclass
class FakeLog:
    """What outlives a worker: the events, what was written, and what was committed."""

    events: list[Message]
    written: list[Sent] = field(default_factory=list)
    committed: dict[int, int] = field(default_factory=dict)

    def values(self, topic: str) -> list[bytes]:
        return [sent.value for sent in self.written if sent.topic == topic]


class FakeBroker:
    """One worker's connection to the log; it owns every partition. `rng` decides what is late."""

    def __init__(self, log: FakeLog, owner: Callable[[], Ownership], rng: Random, batch_limit: int = 5) -> None:
        self._log = log
        self._owner = owner
        self._rng = rng
        self._batch_limit = batch_limit
        self._in_flight: list[Sent] = []
        self._commits: list[tuple[Mapping[int, int], Callable[[Mapping[int, int] | None], None]]] = []
        self._queue: list[Message] | None = None

    def poll(self, wait_s: float, *, take: bool = True) -> Sequence[Message]:
        if self._queue is None:
            starts = {event.partition: self._log.committed.get(event.partition, 0) for event in self._log.events}
            self._queue = [event for event in self._log.events if event.offset >= starts[event.partition]]
            self._owner().assigned(starts)
        self._write(self._rng.randint(0, len(self._in_flight)), acknowledge=True)
        self._serve_commits()
        if not take:
            return []
        size = self._rng.randint(0, self._batch_limit)
        batch, self._queue = self._queue[:size], self._queue[size:]
        return batch

    def produce(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        partition: int | None,
        acked: Callable[[], None],
    ) -> None:
        self._in_flight.append(Sent(topic, key, value, headers, partition, acked))

    def drain(self, timeout_s: float) -> None:
        self._write(len(self._in_flight), acknowledge=True)

    def commit(self, offsets: Mapping[int, int], done: Callable[[Mapping[int, int] | None], None]) -> None:
        self._commits.append((offsets, done))

    def read_again(self, partition: int, offset: int, end: int) -> Sequence[Message]:
        behind = [each for each in self._log.events if each.partition == partition and offset <= each.offset < end]
        return behind[: self._rng.randint(0, self._batch_limit)]

    @property
    def exhausted(self) -> bool:
        return self._queue == []

    def crash(self) -> None:
        """The worker dies: some of what was in flight was written all the same, unacknowledged."""
        self._write(self._rng.randint(0, len(self._in_flight)), acknowledge=False)

    def revoke(self, partitions: Iterable[int]) -> None:
        self._owner().revoked(list(partitions))

    def _write(self, how_many: int, *, acknowledge: bool) -> None:
        gone, self._in_flight = self._in_flight[:how_many], self._in_flight[how_many:]
        for sent in gone:
            self._log.written.append(sent)
            if acknowledge:
                sent.acked()

    def _serve_commits(self) -> None:
        for offsets, done in self._commits:
            if self._rng.random() < 0.2:
                done(None)
            else:
                self._log.committed.update(offsets)
                done(offsets)
        self._commits = []
