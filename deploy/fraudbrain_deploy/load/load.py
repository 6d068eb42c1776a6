"""A load on a topic of events, and how long each event took until its answer was read on another topic.

Driver and reader are processes of their own on one machine, whose monotonic clock both read. An event's id says its
number, its number when it was due: nothing else needs to travel with it.
"""

import secrets
import time
from contextlib import ExitStack
from math import inf
from types import TracebackType
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.driving import TOGETHER, Driver
from fraudbrain_deploy.load.histogram import Histogram, Microseconds
from fraudbrain_deploy.load.limit import Limit
from fraudbrain_deploy.load.reading import SILENCE_S, Read, Reader
from fraudbrain_deploy.load.remote import Remote
from fraudbrain_deploy.load.schedule import Schedule
from fraudbrain_deploy.load.stream import Plan

_AHEAD_NS: Final = 300_000_000  # until both have heard of the run, and the first events are made
_CUT_NS: Final = 1_000_000_000  # the driver has not made events that lie so far ahead
_END_S: Final = 120.0


class Answers(NamedTuple):
    """Of each event that was answered: when it was due, ns after the first; how long after that its answer was read;
    and when the broker appended that, UTC ms, to which partition."""

    due_ns: npt.NDArray[np.int64]
    latency_us: Microseconds
    append_ms: npt.NDArray[np.int64]
    partitions: npt.NDArray[np.int16]


class Loaded(NamedTuple):
    """What became of a load. `late` is how long after they were due events were handed to the client library: part of
    their latency, which is from then until the answer was read. `unanswered` events have none."""

    events: int
    unanswered: int
    late: Histogram
    answers: Answers

    def latency(self, begin_s: float = 0.0, end_s: float = inf) -> Histogram:
        """Of the events that were due in that stretch, counted from the first event's time."""
        due_s = self.answers.due_ns / 1e9
        return Histogram.of(self.answers.latency_us[(due_s >= begin_s) & (due_s < end_s)])


class _Underway(NamedTuple):
    schedule: Schedule
    begun_ns: int
    silence_s: float


class Load:
    """Loads one topic and reads another, run after run; a context manager."""

    def __init__(self, bootstrap: str, *, events: str, answers: str, plan: Plan) -> None:
        self._run = secrets.randbits(31)  # no earlier load on the same topic called its events so
        self._ends = ExitStack()
        self._underway: _Underway | None = None
        self._limit = Limit()
        self._reader = Remote(Reader, bootstrap, answers, self._limit)
        self._driver = Remote(Driver, bootstrap, events, plan, self._limit)

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

    def run(self, schedule: Schedule, *, silence_s: float = SILENCE_S) -> Loaded:
        """Sends the schedule's events and waits for their answers, in the end until none comes for `silence_s`. Raises
        UserError where the broker takes no event."""
        self.begin(schedule, silence_s=silence_s)
        return self.end()

    def begin(self, schedule: Schedule, *, silence_s: float = SILENCE_S) -> int:
        """Begins a run, which `end` ends; when the first event is due, monotonic ns."""
        self._run += 1
        begun_ns = time.monotonic_ns() + _AHEAD_NS
        self._underway = _Underway(schedule, begun_ns, silence_s)
        self._limit.events = schedule.events
        self._reader.call("read", self._run, schedule.events, begun_ns / 1e9 + schedule.seconds, silence_s)
        self._driver.call("drive", self._run, schedule, begun_ns)
        return begun_ns

    def cut(self) -> None:
        """Ends the run that was begun early: with what is due within a second."""
        assert self._underway, "no run was begun"
        schedule, begun_ns, _ = self._underway
        due = int(np.searchsorted(schedule.due_ns, time.monotonic_ns() - begun_ns + _CUT_NS)) + TOGETHER
        self._limit.events = min(schedule.events, due)

    def end(self) -> Loaded:
        """Waits for the rest of the run that was begun, as `run` does."""
        assert self._underway, "no run was begun"
        schedule, begun_ns, silence_s = self._underway
        late: Histogram = self._driver.answer(schedule.seconds + _END_S)
        read: Read = self._reader.answer(schedule.seconds + silence_s + _END_S)

        due_ns = schedule.due_ns[read.numbers]
        answers = Answers(due_ns, (read.read_ns - begun_ns - due_ns) // 1_000, read.append_ms, read.partitions)
        return Loaded(self._limit.events, self._limit.events - len(due_ns), late, answers)


def answered(loaded: Loaded, what: str) -> Loaded:
    """The same. Raises UserError where an event has no answer: latencies without it would be too good."""
    if loaded.unanswered:
        raise UserError(f"{loaded.unanswered:,} of {loaded.events:,} events got no answer from {what}.")
    return loaded
