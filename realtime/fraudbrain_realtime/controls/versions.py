"""The versions of one control that is prepared before it acts: each on the events of its time.

A worker that comes back finds in a topic what was published within years; it needs the newest, and of the others those
that its events meet. So a version may stand in its place before it is ready.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.controls import Stretch, TimeLine

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Version(Generic[T]):
    """What a record says, once it `is_ready`; `is_asked` while it is being prepared.

    `since` is the append time of the first events on which it acts. `is_live` if it came while events were decided,
    `is_late` if some were decided before it came on which it should have acted.
    """

    record: ControlRecord | None
    since: float
    value: T
    is_ready: bool = True
    is_asked: bool = False
    is_live: bool = False
    is_late: bool = False


class Versions(Generic[T]):
    """Begins with a first version, which acts on what was appended before any other did."""

    def __init__(self, first: T) -> None:
        self._first = first
        self._line = TimeLine(Version(None, -float("inf"), first))

    def __iter__(self) -> Iterator[Version[T]]:
        """In the order of their publication."""
        return (each.value for each in self._line)

    @property
    def newest(self) -> Version[T]:
        """The one that was published last, ready or not."""
        return self._line.newest

    @property
    def newest_value(self) -> T:
        """What the newest says that is ready, whether it acts yet or not."""
        return self._ready(self._line.newest)

    def take(self, record: ControlRecord) -> Version[T]:
        """Puts a record in its place. One without a value brings back the first version, and is ready at once."""
        version = Version(record, 0.0, self._first, is_ready=record.value is None)
        version.since = self._line.add(version, record.append_time)
        return version

    def remove(self, version: Version[T]) -> None:
        """Takes one out that must not be used: the one before it acts in its place."""
        if any(each is version for each in self):  # those that no event can meet any more are forgotten
            self._line.remove(version)

    def at(self, append_time: float) -> Stretch[Version[T]]:
        """The version that acts on events of that append time, UTC ms, ready or not."""
        return self._line.at(append_time)

    def value_at(self, append_time: float) -> Stretch[T]:
        """What it says, or, while it is not ready, what the last one before it says that is."""
        found = self._line.at(append_time)
        return Stretch(self._ready(found.value), found.since, found.until)

    def _ready(self, version: Version[T]) -> T:
        ready = self._first
        for each in self:
            if each.is_ready:
                ready = each.value
            if each is version:
                break
        return ready
