"""The last values, in log order, and what is read of them: exactly, by looking at all of them."""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import Any, Final

from fraudbrain_shared.features.aggregates.real_total import real_sum
from fraudbrain_shared.features.hops import bounded
from fraudbrain_shared.features.keeper import State
from fraudbrain_shared.scenario.description import Read
from fraudbrain_shared.scenario.profile_state import StateShape

VALUES: Final = 1  # the oldest first
NEWEST_MS: Final = 2  # the event time of the last value
RUN: Final = 3  # how many of the latest records in a row were folded, with the last value
ENDED: Final = 4  # whether a run ended since the start


class KeptValues:
    """The keeper of the last values. No event comes too late: they go by log order."""

    def __init__(self, shape: StateShape) -> None:
        self._tag = shape.tag
        self.form = f"{shape.tag}"
        self._count = shape.count
        self.notes_misses = "r" in shape.columns
        self.minds_misses = True

    def start(self) -> State:
        return [self._tag, [], 0, 0, False]

    def adopted(self, state: State) -> State:
        return state

    def add(self, state: State, value: Any, key: Any, time: int, clock: int) -> int:
        values = state[VALUES]
        if state[RUN] and values[-1] != value:
            state[RUN] = 0
            state[ENDED] = True
        state[RUN] += 1
        state[NEWEST_MS] = time
        values.append(value)
        if len(values) > self._count:
            del values[: -self._count]
        return 0

    def miss(self, state: State, key: Any, time: int, clock: int) -> None:
        state[RUN] = 0
        state[ENDED] = True

    def joined(self, left: State, right: State, clock: int) -> State:
        values = [*left[VALUES], *right[VALUES]][-self._count :]
        goes_on = not right[ENDED] and (not right[VALUES] or not left[RUN] or left[VALUES][-1] == right[VALUES][0])
        return [
            self._tag,
            values,
            right[NEWEST_MS] if right[VALUES] else left[NEWEST_MS],
            left[RUN] + right[RUN] if goes_on else right[RUN],
            left[ENDED] or right[ENDED] or not goes_on,
        ]


def read_last(read: Read, state: State, values: Sequence[Any], now: int) -> Any:
    """A read, no quantile, of those last `values` of a state that a feature reaches; there are some."""
    if read == "streak":
        return min(state[RUN], len(values))
    if read == "seconds_since":
        return (max(now, state[NEWEST_MS]) - state[NEWEST_MS]) // 1000
    return _READS[read](values)


def _sum(values: Sequence[Any]) -> Any:
    return real_sum(values) if isinstance(values[0], float) else bounded(sum(values))


def _mean(values: Sequence[Any]) -> float:
    total = real_sum(values) if isinstance(values[0], float) else sum(values)
    return float(total / len(values))


def _stddev(values: Sequence[Any]) -> float | None:
    if len(values) < 2:
        return None
    mean = _mean(values)
    return sqrt(real_sum([(value - mean) * (value - mean) for value in values]) / (len(values) - 1))


_READS: Final[Mapping[Read, Callable[[Sequence[Any]], Any]]] = {
    "count": len,
    "sum": _sum,
    "mean": _mean,
    "min": min,
    "max": max,
    "stddev": _stddev,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "distinct": lambda values: len(set(values)),
}
