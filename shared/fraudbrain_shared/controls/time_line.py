"""A control's versions on the axis of append times: which of them acts on an event.

Every worker reads a control record within moments of its publication, none at the same moment. So a record acts on
events that were appended `GRACE_MS` after it or later, whoever decides them and when: by then everybody has read it.
"""

from collections.abc import Iterator
from math import inf
from typing import Final, Generic, NamedTuple, TypeVar

from fraudbrain_shared.topics import EVENTS_RETENTION_MS

T = TypeVar("T")

GRACE_MS: Final = 2_000
"""From a record's append time to that of the first event it acts on. Shorter: a worker that pauses reads it too late.
Longer: a correction waits."""


_KEPT_MS: Final = 2 * EVENTS_RETENTION_MS  # a broker deletes by segments: events outlive their retention


def acts_from(append_time: int) -> int:
    """The append time, UTC ms, of the first events on which a record acts that was appended then."""
    return append_time + GRACE_MS


class Stretch(NamedTuple, Generic[T]):
    """A version, and the append times from `since` on and before `until` of the events it acts on."""

    value: T
    since: float
    until: float


class TimeLine(Generic[T]):
    """The versions in the order of their publication; the first stands from the beginning of time, and always stays.

    Versions that no event still kept can meet are forgotten.
    """

    def __init__(self, first: T) -> None:
        self._stretches = [Stretch(first, -inf, inf)]

    def __len__(self) -> int:
        return len(self._stretches)

    @property
    def newest(self) -> T:
        """The one that was published last, whether it acts yet or not."""
        return self._stretches[-1].value

    @property
    def newest_stretch(self) -> Stretch[T]:
        """The one that was published last, with when it acts."""
        return self._stretches[-1]

    def __iter__(self) -> Iterator[Stretch[T]]:
        """In the order of their publication."""
        return iter(self._stretches)

    def add(self, value: T, append_time: int) -> float:
        """Takes what was published at that time, UTC ms, and returns from when on it acts.

        Should the broker's clock have been set back, it does not act before the one published before it.
        """
        last = self._stretches[-1]
        since = max(last.since, acts_from(append_time))
        self._stretches[-1:] = [last._replace(until=since), Stretch(value, since, inf)]
        while len(self._stretches) > 2 and self._stretches[1].until <= since - _KEPT_MS:
            self._remove(1)
        return since

    def at(self, append_time: float) -> Stretch[T]:
        """What acts on an event of that append time, UTC ms."""
        return next(each for each in reversed(self._stretches) if each.since <= append_time < each.until)

    def remove(self, value: T) -> None:
        """Takes a version out: the one before it acts in its place. ValueError for the first."""
        places = [at for at, each in enumerate(self._stretches) if at and each.value is value]
        if not places:
            raise ValueError("not a version that can be taken out")
        self._remove(places[-1])

    def _remove(self, place: int) -> None:
        before, gone = self._stretches[place - 1 : place + 1]
        self._stretches[place - 1 : place + 1] = [before._replace(until=gone.until)]
