"""The steps of a replay: where each begins and ends in event time, and after which ones offline work is due."""

from collections.abc import Iterator
from dataclasses import dataclass

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Step:
    """Event times from `start_ms` on and before `end_ms`, UTC. `trains`: offline work is due at its end."""

    number: int
    start_ms: int
    end_ms: int
    trains: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps of `length_ms` from `start_ms` on until `last_ms` lies in one of them.

    A date of offline work, every `train_every_ms`, ends a step early; the grid of the others stays.
    """

    start_ms: int
    last_ms: int
    length_ms: int
    train_every_ms: int | None = None

    def __iter__(self) -> Iterator[Step]:
        number, start = 0, self.start_ms
        while start <= self.last_ms:
            end = _next(start, self.start_ms, self.length_ms)
            due = end + 1 if self.train_every_ms is None else _next(start, self.start_ms, self.train_every_ms)
            step = Step(number, start, min(end, due), trains=due <= end)
            yield step
            number, start = number + 1, step.end_ms

    def __len__(self) -> int:
        return sum(1 for _ in self)


def schedule(first_ms: int, last_ms: int, length_ms: int, train_every_ms: int | None = None) -> Schedule:
    """The steps for events from `first_ms` to `last_ms`: the first begins at midnight UTC."""
    return Schedule(first_ms // DAY_MS * DAY_MS, last_ms, length_ms, train_every_ms)


def _next(after_ms: int, origin_ms: int, every_ms: int) -> int:
    """The first multiple of `every_ms`, counted from the origin, after a time."""
    return origin_ms + ((after_ms - origin_ms) // every_ms + 1) * every_ms
