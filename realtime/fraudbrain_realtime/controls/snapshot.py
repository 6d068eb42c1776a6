"""The last controls known to be good, kept on disk: what a worker starts with where the control topics do not answer.

A snapshot holds records, so that taking it is the same code as reading the topics. It is written bit by bit while
events are decided, and takes its name when it is whole.
"""

import logging
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from fraudbrain_realtime.controls.controls import Controls
from fraudbrain_realtime.controls.feed import ControlFeed
from fraudbrain_realtime.frames import HEADER_BYTES, framed
from fraudbrain_realtime.ports import ControlRecord

SNAPSHOT: Final = "controls.snapshot"
"""The file's name in the folder of a deployment's state; its workers on one machine share it, each writes it whole."""

_FORMAT: Final = 1
_AT_ONCE_S: Final = 0.002  # of a worker's turn
_ABANDONED_S: Final = 3_600.0

log = logging.getLogger(__name__)


class SnapshotUnusable(Exception):
    """There is no snapshot that a worker may start with; the text says why."""


class _Head(msgspec.Struct, frozen=True):
    format: int
    scenario_release: str
    as_of_ms: int
    offsets: dict[str, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Controls as they were when their topics were last read to the end, at `as_of_ms` by this machine's clock.

    Reading goes on from `offsets`, by topic.
    """

    as_of_ms: int
    offsets: dict[str, int]
    _frames: list[memoryview]

    def records(self) -> Iterator[ControlRecord]:
        """The records to be taken one after the other."""
        decode = msgspec.msgpack.Decoder(ControlRecord).decode
        return (decode(each) for each in self._frames)


def read_snapshot(path: Path, scenario_release: str, *, now_ms: int, max_age_s: float) -> Snapshot:
    """The snapshot in a file, for this release of the scenario. Raises SnapshotUnusable."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SnapshotUnusable(f"no snapshot of the controls in {path}: {error.strerror}") from None
    try:
        head, frames = _opened(content)
    except (ValueError, msgspec.MsgspecError) as error:
        raise SnapshotUnusable(f"the snapshot {path} is broken: {error}") from None
    if head.scenario_release != scenario_release:
        raise SnapshotUnusable(f"the snapshot {path} is of another release of the scenario")
    if (age_s := (now_ms - head.as_of_ms) / 1_000) > max_age_s:
        raise SnapshotUnusable(f"the snapshot {path} is {age_s:,.0f} s old; {max_age_s:,.0f} s are allowed")
    return Snapshot(head.as_of_ms, head.offsets, frames)


class SnapshotWriter:
    """Writes the controls of a worker to a file from time to time. What goes wrong with the file is only told."""

    def __init__(
        self, path: Path, worker: str, scenario_release: str, controls: Controls, feed: ControlFeed, every_s: float
    ) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.{worker}.part")
        self._scenario_release = scenario_release
        self._controls, self._feed = controls, feed
        self._every_s = every_s
        self._due = time.monotonic()
        self._writing: Iterator[None] | None = None
        self.problem = ""
        """Why the last one could not be written, if it could not."""

    def go_on(self, as_of_ms: int) -> None:
        """Begins a snapshot when one is due, or goes on with the one that was begun, for a moment.

        `as_of_ms` is when the topics were last known to be read to their ends. In a stepped replay none is begun:
        records wait for their steps.
        """
        now = time.monotonic()
        if self._writing is None:
            if now < self._due or self._feed.is_stepped:
                return
            self._due = now + self._every_s
            self._writing = self._write(as_of_ms)
        try:
            for _ in self._writing:
                if time.monotonic() - now > _AT_ONCE_S:
                    return
            self.problem = ""
        except OSError as error:
            self.problem = f"the controls cannot be kept in {self._path}: {error.strerror}"
            log.warning("%s", self.problem)
        self._writing = None

    def finish(self) -> None:
        """Gives up what is half written."""
        if self._writing is not None:
            self._writing = None
            with suppress(OSError):
                self._part.unlink()

    def _write(self, as_of_ms: int) -> Iterator[None]:
        """Not synced to the disk, which takes its time: what a power failure left broken is noticed when it is read."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(self._path)
        encode = msgspec.msgpack.Encoder().encode
        head = _Head(_FORMAT, self._scenario_release, as_of_ms, dict(self._feed.received))
        records = self._controls.records()
        written, checksum = 0, 0
        with self._part.open("wb") as file:
            frame = framed(encode(head))
            while True:
                file.write(frame)
                checksum = zlib.crc32(frame, checksum)
                record = next(records, None)
                if record is None:
                    break
                frame = framed(encode(record))
                written += 1
                yield
            file.write(framed(encode((written, checksum))))
        self._part.replace(self._path)


def _opened(content: bytes) -> tuple[_Head, list[memoryview]]:
    frames, at, view = list[memoryview](), 0, memoryview(content)
    last = 0
    while at < len(content):
        end = at + HEADER_BYTES + int.from_bytes(content[at : at + HEADER_BYTES], "big")
        if end > len(content):
            raise ValueError("it ends in the midst of a record")
        frames.append(view[at + HEADER_BYTES : end])
        last, at = at, end
    if len(frames) < 2:
        raise ValueError("it is empty")
    head_frame, *records, tail = frames
    if msgspec.msgpack.decode(tail, type=tuple[int, int]) != (len(records), zlib.crc32(view[:last])):
        raise ValueError("it is not what was written")
    head = msgspec.msgpack.decode(head_frame, type=_Head)
    if head.format != _FORMAT:
        raise ValueError(f"it has format {head.format}, of another build")
    return head, records


def _remove_abandoned(path: Path) -> None:
    """What workers left that were killed while they wrote."""
    oldest = time.time() - _ABANDONED_S
    for part in path.parent.glob(f"{path.name}.*.part"):
        with suppress(OSError):
            if part.stat().st_mtime < oldest:
                part.unlink()
