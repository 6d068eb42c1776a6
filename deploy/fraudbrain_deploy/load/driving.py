"""The sending side of a load: an event is sent when it is due, or as soon after that as possible, and never before.

Whoever is slow does not slow the questions down, and an event that is sent late is late from the moment at which it
was due: there is no coordinated omission.
"""

import sys
import time
from collections.abc import Callable
from itertools import count, repeat
from typing import Final

import numpy as np

from fraudbrain_deploy import kafka
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.histogram import Histogram, Microseconds
from fraudbrain_deploy.load.limit import Limit
from fraudbrain_deploy.load.run import event_id
from fraudbrain_deploy.load.schedule import Schedule
from fraudbrain_deploy.load.stream import Plan, Stream, StreamEvent

TOGETHER: Final = 64
"""Events that are made at once, before the first of them is due."""
_TICK_S: Final = 0.001
"""The shortest wait: what is due within it is sent together, late by so much at most."""
_QUEUED: Final = 200_000
_FLUSH_S: Final = 60.0

Clock = Callable[[], int]
"""Nanoseconds of a clock that cannot jump and that all processes of a machine share."""


def drive(
    schedule: Schedule,
    take: Callable[[int], list[StreamEvent]],
    send: Callable[[StreamEvent], None],
    wait: Callable[[float], None],
    *,
    begun_ns: int,
    most: Callable[[], int] = lambda: sys.maxsize,
    clock: Clock = time.monotonic_ns,
) -> Microseconds:
    """Sends every event of the schedule, or the first `most`, which is asked again before each batch; how long after it
    was due each was handed over."""
    sent_ns = np.empty(schedule.events, np.int64)
    number = 0
    while number < (end := min(schedule.events, most())):
        due_ns = (schedule.due_ns[number : min(number + TOGETHER, end)] + begun_ns).tolist()
        for due, event in zip(due_ns, take(len(due_ns)), strict=True):
            now = clock()
            while now < due:
                wait(max(_TICK_S, (due - now) / 1e9))
                now = clock()
            send(event)
            sent_ns[number] = clock()
            number += 1
    return (sent_ns[:number] - schedule.due_ns[:number] - begun_ns) // 1_000


class Driver:
    """Sends one stream to one topic of a broker, of a schedule as many as the limit says. For a process that does
    nothing else."""

    def __init__(self, bootstrap: str, topic: str, plan: Plan, limit: Limit | None = None) -> None:
        self._topic = topic
        self._most = (lambda: sys.maxsize) if limit is None else (lambda: limit.events)
        self._run, self._number = 0, count()
        self._stream = Stream(plan, (event_id(self._run, next(self._number)) for _ in repeat(None)))
        self._failures: list[str] = []
        settings = {"linger.ms": 1, "delivery.report.only.error": True}
        self._producer = kafka.producer(bootstrap, in_flight=_QUEUED, settings=settings)
        self._producer.list_topics(topic, timeout=_FLUSH_S)  # connected before the first event is due

    def drive(self, run: int, schedule: Schedule, begun_ns: int) -> Histogram:
        """The whole schedule as a run of this number, all acknowledged; how late events were handed over. Raises
        UserError where the broker did not take one."""
        self._run, self._number = run, count()
        late_us = drive(schedule, self._stream.take, self._send, self._wait, begun_ns=begun_ns, most=self._most)
        self._flush()
        return Histogram.of(late_us)

    def fill(self, run: int, events: int) -> float:
        """Sends so many as fast as it goes, all acknowledged; the seconds of processor time that it took."""
        self._run, self._number = run, count()
        begun_s = time.process_time()
        for start in range(0, events, TOGETHER):
            for event in self._stream.take(min(TOGETHER, events - start)):
                self._send(event)
            self._producer.poll(0)
        self._flush()
        return time.process_time() - begun_s

    def _send(self, event: StreamEvent) -> None:
        while True:
            try:
                self._producer.produce(self._topic, event.value, event.key, on_delivery=self._failed)
                return
            except BufferError:  # the broker is behind: what is sent late counts as late
                self._producer.poll(_TICK_S)

    def _wait(self, seconds: float) -> None:
        self._producer.poll(0)
        time.sleep(seconds)

    def _flush(self) -> None:
        left = self._producer.flush(_FLUSH_S)
        if left or self._failures:
            cause = self._failures[0] if self._failures else f"nothing within {_FLUSH_S:.0f} s"
            raise UserError(f"{left + len(self._failures)} events of the load were not acknowledged: {cause}.")

    def _failed(self, error: object, _: object) -> None:
        if error is not None:
            self._failures.append(str(error))
