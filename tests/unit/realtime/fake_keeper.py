"""A keeper without a process, that works when it is polled and dies with its worker; and a journal that forgets."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from fraudbrain_realtime.journal import ForgetfulHand
from fraudbrain_realtime.ports import Hand, StoreUnavailable
from fraudbrain_realtime.stores.memory import MemoryStore


class FakeKeeper:
    """Takes requests while fewer than `room` wait, and answers all of them in the next poll."""

    def __init__(self, store: MemoryStore, room: int = 8) -> None:
        self._store = store
        self._room = room
        self._asked: deque[Callable[[], None]] = deque()
        self.answers: dict[str, bytes] = {}

    def save(self, partition: int, rows: Mapping[str, bytes], timestamp: int, done: Callable[[bool], None]) -> bool:
        def work() -> None:
            try:
                self._store.save(partition, rows, timestamp)
            except StoreUnavailable:
                done(False)
            else:
                done(True)

        return self._take(work)

    def scan(self, partition: int, found: Callable[[Mapping[str, bytes]], None], done: Callable[[bool], None]) -> bool:
        def work() -> None:
            try:
                for rows in self._store.scan(partition):
                    found(rows)
            except StoreUnavailable:
                done(False)
            else:
                done(True)

        return self._take(work)

    def load(
        self,
        partition: int,
        subjects: Sequence[str],
        found: Callable[[Mapping[str, bytes]], None],
        done: Callable[[bool], None],
    ) -> bool:
        def work() -> None:
            try:
                found(self._store.load(partition, subjects))
            except StoreUnavailable:
                done(False)
            else:
                done(True)

        return self._take(work)

    def answer(self, decisions: Mapping[str, bytes]) -> None:
        self.answers.update(decisions)

    def poll(self, wait_s: float = 0.0) -> None:
        for _ in range(len(self._asked)):
            self._asked.popleft()()

    def _take(self, work: Callable[[], None]) -> bool:
        has_room = len(self._asked) < self._room
        if has_room:
            self._asked.append(work)
        return has_room


class NoJournal:
    """Remembers nothing."""

    def open(self, partition: int) -> Hand:
        return ForgetfulHand()
