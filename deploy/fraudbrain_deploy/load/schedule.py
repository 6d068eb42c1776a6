"""When each event of a load is due: fixed before the first is sent, whatever becomes of those before it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

_NS: Final = 1e9


class Phase(NamedTuple):
    """So many seconds at so many events a second."""

    per_s: float
    seconds: float

    @property
    def events(self) -> int:
        """How many are due in it."""
        return round(self.per_s * self.seconds)


class Schedule:
    """Phases one after the other: one is a constant rate, several are steps or a burst. Event `k` of a phase is due k /
    rate after its begin."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        if not phases or any(phase.per_s <= 0 or phase.seconds <= 0 for phase in phases):
            raise ValueError("a load has phases, each with a rate and seconds above 0")
        begins = np.concatenate([[0.0], np.cumsum([phase.seconds for phase in phases])])
        self.seconds = float(begins[-1])
        self.due_ns: npt.NDArray[np.int64] = np.concatenate(
            [
                np.rint((begin + np.arange(phase.events) / phase.per_s) * _NS).astype(np.int64)
                for begin, phase in zip(begins, phases, strict=False)
            ]
        )
        """When each event is due, nanoseconds after the first."""

    @property
    def events(self) -> int:
        """How many are due in all."""
        return len(self.due_ns)


def constant(per_s: float, seconds: float) -> Schedule:
    """The same rate all the time."""
    return Schedule([Phase(per_s, seconds)])


def burst(per_s: float, seconds: float, *, times: float, burst_s: float) -> Schedule:
    """A rate, so many times as much for a while, and the rate again."""
    return Schedule([Phase(per_s, seconds), Phase(times * per_s, burst_s), Phase(per_s, seconds)])
