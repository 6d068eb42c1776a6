"""A load on a topic of events, and how long each event took until its answer was read on another topic.

Driver and reader are processes of their own on one machine, whose monotonic clock both read. An event's id says its
number, its number when it was due: nothing else needs to travel with it.
"""

import secrets
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Final, NamedTuple, Self

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.driving import Driver
from fraudbrain_deploy.load.histogram import Histogram
from fraudbrain_deploy.load.reading import SILENCE_S, Read, Reader
from fraudbrain_deploy.load.remote import Remote
from fraudbrain_deploy.load.schedule import Schedule
from fraudbrain_deploy.load.stream import Plan

_AHEAD_NS: Final = 300_000_000  # until both have heard of the run, and the first events are made
_END_S: Final = 120.0


class Loaded(NamedTuple):
    """What became of a load. `late` is how long after they were due events were handed to the client library: part of
    `latency`, which is from then until the answer was read. `unanswered` events have none."""

    events: int
    unanswered: int
    late: Histogram
    latency: Histogram


class Load:
    """Loads one topic and reads another, run after run; a context manager."""

    def __init__(self, bootstrap: str, *, events: str, answers: str, plan: Plan) -> None:
        self._run = secrets.randbits(31)  # no earlier load on the same topic called its events so
        self._ends = ExitStack()
        self._reader = Remote(Reader, bootstrap, answers)
        self._driver = Remote(Driver, bootstrap, events, plan)

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            made = [ends.enter_context(each) for each in (self._reader, self._driver)]
            for each in made:
                each.wait_until_made()
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.__exit__(kind, error, trace)

    def run(self, schedule: Schedule, *, uncounted_s: float = 0.0, silence_s: float = SILENCE_S) -> Loaded:
        """Sends the schedule's events and waits for their answers, in the end until none comes for `silence_s`.

        What was due in the first `uncounted_s` is left out of the latencies. Raises UserError where the broker takes
        no event.
        """
        self._run += 1
        begun_ns = time.monotonic_ns() + _AHEAD_NS
        end_s = begun_ns / 1e9 + schedule.seconds
        self._reader.call("read", self._run, schedule.events, end_s, silence_s)
        self._driver.call("drive", self._run, schedule, begun_ns)
        late: Histogram = self._driver.answer(schedule.seconds + _END_S)
        read: Read = self._reader.answer(schedule.seconds + silence_s + _END_S)

        at = schedule.due_ns[read.numbers] >= uncounted_s * 1e9
        latency_us = (read.read_ns[at] - begun_ns - schedule.due_ns[read.numbers[at]]) // 1_000
        return Loaded(schedule.events, schedule.events - len(read.numbers), late, Histogram.of(latency_us))


def answered(loaded: Loaded, what: str) -> Loaded:
    """The same. Raises UserError where an event has no answer: latencies without it would be too good."""
    if loaded.unanswered:
        raise UserError(f"{loaded.unanswered:,} of {loaded.events:,} events got no answer from {what}.")
    return loaded
