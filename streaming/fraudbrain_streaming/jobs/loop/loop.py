"""The slow loop's turn: fold what came, move what the clock has passed, publish, commit.

Labeller, context and tuner share one query and one batch, since every query has a fixed cost for each batch
and what the labeller joins is folded in the same one. What is published goes out before the commit,
so after a crash some of it goes out again, the same; what is folded is committed with the offsets it came from.

Live, each batch sets the clock. In a stepped replay only goals do: nothing is published between two of them,
so that the records do not depend on how the topics were cut into batches.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import Final, Protocol

import msgspec
import pyarrow as pa

from fraudbrain_shared.admission import Admission
from fraudbrain_shared.records import ContextClock, Decision, Progress, StepGoal
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.topics import clock_key, context_key, value_key
from fraudbrain_streaming.jobs.loop.context import Context
from fraudbrain_streaming.jobs.loop.controls import Controls, TopicRecord
from fraudbrain_streaming.jobs.loop.goals import Goals, step_of
from fraudbrain_streaming.jobs.loop.head import HEAD_ROW, Head
from fraudbrain_streaming.jobs.loop.inputs import InputReader, Inputs
from fraudbrain_streaming.jobs.loop.labeller import Find, Labeller
from fraudbrain_streaming.jobs.loop.offsets import Offsets, reaches
from fraudbrain_streaming.jobs.loop.state_table import StateTable
from fraudbrain_streaming.jobs.loop.tuner import Tuning

_LOG = logging.getLogger(__name__)
CLOCK_JOB: Final = "context"
CLOCK_EVERY_S: Final = 10.0
_RETRY_S: Final = 0.5


class Broken(Exception):
    """The loop was broken off in the middle of something; another process must go on from its last commit."""


class Publisher(Protocol):
    """Where records go; after `flush` all that was sent stands in the log."""

    def send(self, topic: str, key: bytes, value: bytes) -> None: ...
    def flush(self) -> None: ...


class Tail(Protocol):
    """The topics `models`, `parameters` and `progress`: what is new, or all up to their ends."""

    def read_new(self) -> Iterable[TopicRecord]: ...
    def read_to_end(self) -> Iterable[TopicRecord]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the loop stands on. `ends` are the inputs' ends now, or None where nobody knows."""

    state: StateTable
    find: Find
    publisher: Publisher
    tail: Tail
    ends: Callable[[], Offsets | None]
    tell: Callable[[Progress], None]
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    now_s: Callable[[], float] = time.monotonic


class Loop:
    """One loop over one space; `batch` and `idle` may be called by two threads.

    `topics` are the short names of the inputs by the full ones. A new loop gets the id `new_id`.
    """

    def __init__(
        self, scenario: Scenario, topics: dict[str, str], around: Surroundings, *, new_id: str, worker: str = "loop"
    ) -> None:
        self._around, self._worker = around, worker
        self._lock = threading.Lock()
        rows = around.state.load()
        self._head = msgspec.msgpack.decode(rows[HEAD_ROW], type=Head) if HEAD_ROW in rows else Head(new_id)
        self._reader = InputReader(Admission(scenario), topics)
        self._labeller = Labeller(around.find, rows)
        self._context = Context(scenario, rows, self._head.published_to)
        self._tuning = Tuning(scenario, rows)
        self._controls = Controls(scenario)
        self._goals = Goals()
        self._receive(around.tail.read_to_end())
        self._controls.start()
        self._ends_before: Offsets | None = None
        self._is_changed = HEAD_ROW not in rows
        self._told_clock_s = self._retried_s = self._asked_ends_s = -inf
        self._retry_after_s = _RETRY_S
        self._moves = 0
        self._is_broken = False

    @property
    def id(self) -> str:
        """The state's own id: another one after its table was removed."""
        return self._head.id

    @property
    def applied(self) -> Offsets:
        """The next offsets of what is folded."""
        return self._head.applied

    def start(self) -> None:
        """Say that the loop is up, and where it stands."""
        with self._lock:
            self._commit()
            self._tell()

    def batch(self, pieces: Sequence[pa.Table]) -> None:
        """A micro-batch, cut into one piece or several."""
        with self._lock, self._whole():
            *before, last = pieces
            for piece in before:
                self._fold(piece)
                self._commit()
            self._fold(last)
            ends = self._around.ends()
            read_to_end = any(
                each is not None and reaches(self._head.applied, each) for each in (self._ends_before, ends)
            )
            self._ends_before = ends
            self._turn(read_to_end=read_to_end)

    def idle(self) -> None:
        """What is to be done while no batch comes; returns at once if there is one just now."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            with self._whole():
                self._turn(read_to_end=False)
        finally:
            self._lock.release()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """What was broken off in the middle must never be committed: after an error nothing is done any more."""
        if self._is_broken:
            raise Broken("the loop failed before")
        self._is_broken = True
        yield
        self._is_broken = False

    def _fold(self, batch: pa.Table) -> None:
        inputs = self._reader.read(batch, self._head.applied)
        for topic, reached in inputs.reached.items():
            self._is_changed |= self._head.applied.get(topic, {}) != reached
            self._head.applied.setdefault(topic, {}).update(reached)
        if inputs.is_live:
            self._goals.leave()
        for event in inputs.events:
            self._head.note_event(event.event_time)
        self._context.add_events(inputs.events)
        self._tuning.add_events(inputs.events)
        self._tuning.add_decisions(each for each in inputs.decisions if self._is_first(each))
        self._label(inputs)

    def _is_first(self, decision: Decision) -> bool:
        """Whether its event is decided for the first time: of a partition's events the decisions come in order,
        and whoever takes over begins again somewhat before."""
        key, offset = f"{decision.generation}|{decision.source.partition}", decision.source.offset
        if offset < self._head.decided.get(key, 0):
            return False
        self._head.decided[key] = offset + 1
        return True

    def _label(self, inputs: Inputs, *, retry: bool = False) -> None:
        now_s = self._around.now_s()
        retry = retry or (self._labeller.waiting > 0 and now_s - self._retried_s >= self._retry_after_s)
        labelled = self._labeller.join(inputs.labels, self._around.now_ms(), retry=retry)
        for each in labelled:
            self._around.publisher.send("labelled", each.label.event_id.encode(), msgspec.json.encode(each))
        self._context.add_labelled(labelled)
        self._tuning.add_labelled(labelled)
        self._is_changed |= bool(labelled or inputs.labels)
        if retry:
            self._retried_s = self._around.now_s()  # many that wait are asked for the more seldom
            self._retry_after_s = max(_RETRY_S, 10 * (self._retried_s - now_s))

    def _turn(self, *, read_to_end: bool) -> None:
        self._receive(self._around.tail.read_new())
        goal = self._goals.goal
        if goal is not None:
            self._serve(goal)
        else:
            self._live(read_to_end=read_to_end)
        if self._is_changed:
            self._commit()
            self._tell()

    def _serve(self, goal: StepGoal) -> None:
        """Reach the goal, if all that it asks for was read and joined."""
        head = self._head
        if head.step == step_of(goal) or not reaches(head.applied, goal.offsets):
            return
        if self._labeller.expects(goal.offsets):
            is_archived = reaches(self._goals.archived, goal.offsets)  # asked first: what is not there then comes later
            self._label(Inputs(), retry=is_archived)
            if self._labeller.expects(goal.offsets) and not is_archived:
                return
        self._receive(self._around.tail.read_to_end())
        if self._goals.goal is not goal:
            return
        self._controls.act(goal.offsets)
        self._advance(goal.clock)
        self._publish_context(None)
        self._publish_clock(goal.clock)
        head.clock, head.step = goal.clock, step_of(goal)
        self._is_changed = True

    def _live(self, *, read_to_end: bool) -> None:
        head, now_s = self._head, self._around.now_s()
        self._controls.act()
        if self._labeller.waiting:
            self._label(Inputs())
        if head.largest is None:
            return
        if (head.clock is None or head.largest > head.clock) and (read_to_end or self._is_at_ends(now_s)):
            self._advance(head.largest)
            head.clock = head.largest
            self._is_changed = True
            self._told_clock_s = -inf
        self._publish_context(now_s)
        if head.clock is not None and now_s - self._told_clock_s >= CLOCK_EVERY_S:
            self._publish_clock(head.clock)
            self._told_clock_s = now_s
            self._around.publisher.flush()

    def _is_at_ends(self, now_s: float) -> bool:
        if now_s - self._asked_ends_s < 1.0:
            return False
        self._asked_ends_s = now_s
        ends = self._around.ends()
        return ends is not None and reaches(self._head.applied, ends)

    def _advance(self, until: int) -> None:
        """Ask the tuners at every tick up to a time, and publish what moves."""
        head = self._head
        if head.since is None:
            head.since = until if head.earliest is None else min(head.earliest, until)
        after = head.since if head.clock is None else head.clock
        for record in self._tuning.moves(self._controls, since=head.since, after=after, until=until):
            encoded = msgspec.json.encode(record)
            self._controls.moved(record, encoded)
            self._around.publisher.send("parameters", value_key(record.name, record.id), encoded)
            self._moves += 1

    def _publish_context(self, now_s: float | None) -> None:
        for record in self._context.take_records(now_s):
            self._around.publisher.send("context", context_key(record.entity, record.id), msgspec.json.encode(record))
            self._is_changed = True

    def _publish_clock(self, clock: int) -> None:
        record = ContextClock(CLOCK_JOB, clock)
        self._around.publisher.send("context", clock_key(CLOCK_JOB), msgspec.json.encode(record))

    def _receive(self, records: Iterable[TopicRecord]) -> None:
        found = list(records)
        self._controls.receive(found)
        self._goals.receive(found)

    def _commit(self) -> None:
        self._around.publisher.flush()
        head = self._head
        head.commit += 1
        rows = self._labeller.changes() | self._context.changes(head.commit) | self._tuning.changes(head.clock)
        head.published_to = self._context.published_to(head.commit)
        rows[HEAD_ROW] = msgspec.msgpack.encode(head)
        self._around.state.commit(head.commit, rows, self._labeller.take_marks())
        self._is_changed = False

    def _tell(self) -> None:
        counts = {"waiting_labels": self._labeller.waiting, "moves": self._moves}
        self._around.tell(
            Progress("streaming", self._worker, self._head.applied, ready=True, counts=counts, step=self._head.step)
        )
