"""Which records of the control topics act on which event.

Live, a record is handed on as soon as it was received: what acts by append time acts by its own, all else on the next
event. In a stepped replay an event is decided by exactly the records below the ends of its step, whatever was received
since, also after a restart: so records are held back until an event says that its step has come.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from fraudbrain_realtime.controls.controls import Controls
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.records import StepEnd

# In the order in which a step's records act: thresholds on a score need its model first.
CONTROL_TOPICS = ("models", "rules", "parameters", "context")
STEP_ENDS = "progress"
STEP_TIMEOUT_S = 30.0

log = logging.getLogger(__name__)


class StepUnknown(Exception):
    """The ends of an event's step did not come: the replay that sent it is gone, or its records are."""


class ControlFeed:
    """Hands records to the controls when their time has come.

    `read` gives what came on the control topics and on progress, waiting so many seconds for the first.
    """

    def __init__(self, controls: Controls, read: Callable[[float], Iterable[ControlRecord]]) -> None:
        self._controls = controls
        self._read = read
        self._waiting: dict[str, deque[ControlRecord]] = {topic: deque() for topic in CONTROL_TOPICS}
        self._ends: dict[str, StepEnd] = {}
        self._decode_end = msgspec.json.Decoder(StepEnd).decode
        self._step = ""
        self.is_stepped = False
        """Whether events come by a replay's steps, and records wait for them."""
        self.received: dict[str, int] = dict.fromkeys(CONTROL_TOPICS, 0)
        """By topic the next offset to come."""

    def start(self, records: Iterable[ControlRecord]) -> None:
        """Takes what stands in the topics at the worker's start; the newest of all is ready when it returns."""
        self._receive(records)
        self._release_unless_stepped(self._controls.settle)

    def resume(self, records: Iterable[ControlRecord], received: dict[str, int]) -> None:
        """Takes records that were kept (see `snapshot`), in place of what the topics hold below `received`."""
        for record in records:
            self._waiting[record.topic].append(record)
        self.received.update(received)
        self._release_unless_stepped(self._controls.settle)

    def refresh(self) -> bool:
        """Takes what is new and what has become ready, without waiting; whether there was anything."""
        before = sum(self.received.values())
        self._receive(self._read(0.0))
        self._release_unless_stepped()
        return self._controls.poll() or sum(self.received.values()) != before

    def offsets(self) -> dict[str, int]:
        """By topic the next offset after what was received and is not being prepared any more."""
        unready = {topic: self._controls.unready_from(topic) for topic in CONTROL_TOPICS}
        return {
            topic: next_ if (first := unready[topic]) is None else min(first, next_)
            for topic, next_ in self.received.items()
        }

    def enter(self, step: str) -> None:
        """Makes the controls what they are for the events of a step; the empty one is life.

        Raises StepUnknown where the step's ends, or the records below them, do not come in time.
        """
        if step == self._step and self.is_stepped == bool(step):
            return
        self.is_stepped = bool(step)
        if step:
            ends = self._ends_of(step)
            for topic in CONTROL_TOPICS:
                self._release(topic, below=ends.get(topic, {}).get("0", 0))
                self._controls.settle()
        self._step = step
        self._release_unless_stepped(self._controls.settle)

    def _ends_of(self, step: str) -> dict[str, dict[str, int]]:
        """The step's ends, once everything below them was received."""
        deadline = time.monotonic() + STEP_TIMEOUT_S
        while True:
            found = self._ends.get(step)
            if found is not None and all(
                self.received[topic] >= found.offsets.get(topic, {}).get("0", 0) for topic in CONTROL_TOPICS
            ):
                return found.offsets
            if time.monotonic() > deadline:
                raise StepUnknown(f"the ends of step {step} did not come within {STEP_TIMEOUT_S:.0f} s")
            self._receive(self._read(0.05))

    def _receive(self, records: Iterable[ControlRecord]) -> None:
        for record in records:
            if record.topic == STEP_ENDS:
                self._note_step(record)
            else:
                self._waiting[record.topic].append(record)
                self.received[record.topic] = record.offset + 1

    def _note_step(self, record: ControlRecord) -> None:
        """From the first goal of a replay on, what comes belongs to its steps."""
        if record.key.startswith(b"goal|"):
            self.is_stepped = record.value is not None
        elif record.key.startswith(b"step|") and record.value is not None:
            try:
                end = self._decode_end(record.value)
            except msgspec.MsgspecError as error:
                log.error("progress/%d is no end of a step: %s", record.offset, error)
                return
            self._ends[f"{end.run}|{end.step}"] = end

    def _release_unless_stepped(self, after_each: Callable[[], None] = lambda: None) -> None:
        if not self.is_stepped:
            for topic in CONTROL_TOPICS:
                self._release(topic, below=None)
                after_each()

    def _release(self, topic: str, *, below: int | None) -> None:
        waiting = self._waiting[topic]
        while waiting and (below is None or waiting[0].offset < below):
            self._controls.update(waiting.popleft())
