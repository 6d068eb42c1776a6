"""Reads the decisions of a replay in a process of its own, so that neither side's clock waits for the other.

What was read goes to a Parquet file bit by bit: memory stays flat however long the replay.
"""

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.replaying.decisions_file import DecisionsFile
from fraudbrain_shared.records import Scores, Source, Versions

NO_PROGRESS_S = 60.0
_START_S = 60.0


class _Decision(msgspec.Struct, frozen=True, gc=False):
    """As much of a decision as a replay tells."""

    event_id: str
    subject: str
    event_time: int
    source: Source
    outcome: str
    versions: Versions
    findings: tuple[str, ...] = ()
    scores: Scores = Scores()


@dataclass(frozen=True, slots=True)
class DecisionsRead:
    """What was read: `rows` in `file` in the order of their log, and the versions that made them."""

    file: Path
    rows: int
    versions: list[dict[str, str | None]]


@dataclass(frozen=True, slots=True)
class _Task:
    bootstrap: str
    topic: str
    start: kafka.Offsets
    events_since: kafka.Offsets
    file: Path


class DecisionReader:
    """Reads `topic` from `start` on, leaving out decisions on events below `events_since`; a context manager."""

    def __init__(
        self, bootstrap: str, topic: str, *, start: kafka.Offsets, events_since: kafka.Offsets, file: Path
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._count = context.Value("q", 0)
        task = _Task(bootstrap, topic, start, events_since, file)
        self._process = context.Process(target=_main, args=(task, theirs, self._count), daemon=True)
        self._process.start()
        theirs.close()
        self._answer(_START_S)  # it imports and connects; a paced replay must not begin before

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ours.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    @property
    def decided(self) -> int:
        """How many decisions were read so far."""
        return int(self._count.value)

    def finish(self, ends: kafka.Offsets) -> DecisionsRead:
        """Reads on to `ends` and tells what there was. Raises UserError when nothing comes for a minute."""
        self._ours.send(ends)
        before, deadline = -1, time.monotonic()
        while not self._ours.poll(0.2):
            if self.decided != before:
                before, deadline = self.decided, time.monotonic() + NO_PROGRESS_S
            elif time.monotonic() > deadline:
                raise UserError(f"No decision could be read for {NO_PROGRESS_S:.0f} s; {before:,} were.")
        read = self._answer(NO_PROGRESS_S)
        assert isinstance(read, DecisionsRead)
        return read

    def _answer(self, timeout_s: float) -> object:
        try:
            answer = self._ours.recv() if self._ours.poll(timeout_s) else TimeoutError("no answer in time")
        except EOFError as error:
            answer = error
        if isinstance(answer, Exception):
            raise UserError(f"The process that reads decisions failed: {type(answer).__name__}: {answer}") from answer
        return answer


def _main(task: _Task, parent: Connection, count: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer: it ends this process
    with contextlib.suppress(BrokenPipeError, ConnectionError):
        try:
            _read(task, parent, count)
        except Exception as error:
            parent.send(RuntimeError(f"{type(error).__name__}: {error}"))


def _read(task: _Task, parent: Connection, count: Any) -> None:
    consumer = kafka.consumer_from(task.bootstrap, {task.topic: task.start})
    parts = DecisionsFile(task.file)
    decode = msgspec.json.Decoder(_Decision).decode
    position = dict(task.start)
    ends: Mapping[int, int] | None = None
    versions: dict[tuple[str, str, str | None], None] = {}
    parent.send("ready")
    while ends is None or any(position[number] < end for number, end in ends.items()):
        if parent.poll(0):
            try:
                ends = parent.recv()
            except EOFError:  # the parent is gone, or does not care any more
                return
        for message, received_ns in _arrived(consumer):
            number, offset = message.partition() or 0, message.offset() or 0
            position[number] = offset + 1
            decision = decode(message.value() or b"")
            source = decision.source
            if source.offset < task.events_since.get(source.partition, 0):
                continue
            made_by = decision.versions
            versions[made_by.scenario, made_by.rules, made_by.model] = None
            parts.add(decision, received_ns)
            count.value += 1
    parts.close()
    consumer.close()
    seen = [dict(zip(("scenario", "rules", "model"), each, strict=True)) for each in versions]
    parent.send(DecisionsRead(task.file, int(count.value), seen))


def _arrived(consumer: kafka.Consumer) -> Iterator[tuple[kafka.Message, int]]:
    """What is there, with the moment at which it was: a poll that waits, then all that came with it."""
    first = consumer.poll(0.1)
    if first is None:
        return
    received_ns = time.monotonic_ns()
    for message in [first, *consumer.consume(1_000, timeout=0)]:
        if (trouble := kafka.problem(message)) is not None:
            raise RuntimeError(f"cannot read {trouble}")
        if message.error() is None:
            yield message, received_ns
