"""The source of a campaign's events: sends at a rate, and remembers what the broker took."""

import threading
import time
from collections import defaultdict
from functools import partial
from typing import Final, Protocol

from fraudbrain_deploy import kafka
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.faults.checker import Sent
from fraudbrain_deploy.faults.checker.history import hash64
from fraudbrain_deploy.faults.events import Made

_FLUSH_S: Final = 150.0
_END_S: Final = 10.0


class Source(Protocol):
    """Makes the records that are sent."""

    def next(self) -> Made:
        """The next record."""


class Sender:
    """Sends in a thread of its own. An event counts only once all replicas have it: then its place is known."""

    def __init__(self, bootstrap: str, topic: str, events: Source, *, count: int, per_s: float) -> None:
        self._topic = topic
        self._events = events
        self._count = count
        self._per_s = per_s
        self._producer = kafka.producer(bootstrap, settings={"message.timeout.ms": 300_000})
        self._enough = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._failures: list[str] = []
        self.sent: defaultdict[int, list[Sent]] = defaultdict(list)
        self.acknowledged = 0

    def start(self) -> None:
        self._thread.start()

    def alive(self) -> bool:
        """Whether there is still something to send or to be acknowledged."""
        return self._thread.is_alive()

    def finish(self) -> None:
        """Sends no more; what is sent will still be acknowledged."""
        self._enough.set()

    def end(self) -> None:
        """Sends no more."""
        self._ended.set()
        self._thread.join(_END_S)

    def check(self) -> None:
        """Raises UserError where a record could not be delivered."""
        if self._failures:
            raise UserError(f"{len(self._failures)} records could not be sent: {self._failures[0]}.")

    def _run(self) -> None:
        begun = time.monotonic()
        for number in range(self._count):
            self._wait_until(begun + number / self._per_s)
            if self._ended.is_set() or self._enough.is_set():
                break
            self._send(self._events.next())
        deadline = time.monotonic() + _FLUSH_S
        while len(self._producer) and not self._ended.is_set():
            if time.monotonic() > deadline:
                self._failures.append(f"{len(self._producer)} were not acknowledged within {_FLUSH_S:.0f} s")
                break
            self._producer.poll(0.1)

    def _send(self, made: Made) -> None:
        delivered = partial(self._delivered, hash64(made.value or b""), made.intended)
        while not self._ended.is_set():
            try:
                self._producer.produce(self._topic, made.value, made.key, on_delivery=delivered)
                return
            except BufferError:  # the broker is away: what waits ends, acknowledged or failed
                self._producer.poll(0.1)

    def _wait_until(self, due_s: float) -> None:
        self._producer.poll(0)
        while (left_s := due_s - time.monotonic()) > 0 and not self._ended.is_set():
            self._producer.poll(min(left_s, 0.1))

    def _delivered(self, digest: int, intended: str, error: object, message: kafka.Message) -> None:
        partition, offset = message.partition(), message.offset()
        if error is not None or partition is None or offset is None:
            self._failures.append(str(error))
        else:
            self.sent[partition].append(Sent(offset, digest, intended))
            self.acknowledged += 1
