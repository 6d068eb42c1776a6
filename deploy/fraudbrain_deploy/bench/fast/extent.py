"""How much of the fast tier's bench is run: what fits into a few minutes, or all of it."""

from dataclasses import dataclass
from typing import Final

from fraudbrain_deploy.bench.fast.arms import ARMS
from fraudbrain_deploy.bench.fast.latency import UNCOUNTED_S
from fraudbrain_deploy.bench.fast.warm_up import WarmUpCourse
from fraudbrain_deploy.bench.fast.window import Course

RATES: Final = (1_000, 5_000, 10_000)
"""Events a second at which latencies are measured."""
EVENTS_PER_S: Final = 20_000
"""So many events are preloaded for each second that a measurement is to last."""

_WINDOW: Final = Course(per_s=5_000, warm_up_s=30, seconds=120, pause_s=14)
_WINDOWS: Final = (
    Course(per_s=5_000, warm_up_s=60, seconds=600, pause_s=60),
    Course(per_s=10_000, warm_up_s=60, seconds=600, pause_s=60),
    Course(per_s=1_000, warm_up_s=60, seconds=300, pause_s=40, with_slow_tier=True),
)
_WARM_UP: Final = WarmUpCourse(subjects=200_000, per_s=500, run_s=5, rest_s=7)
_WARM_UP_OF_ALL: Final = WarmUpCourse(subjects=1_000_000, per_s=500, run_s=5, rest_s=7)

# What is started, made ready and ended, on two cores.
_TRAINING_AND_STACK_S: Final = 120.0
_WINDOW_READY_S: Final = 30.0
_SLOW_TIER_READY_S: Final = 60.0
_ARM_READY_S: Final = 12.0
_DECIDED_PER_S: Final = 8_000
"""Saturated, as a cautious guess: events with their flushes, and rows that are written and read again."""


@dataclass(frozen=True, slots=True)
class Extent:
    """`seconds` and `rounds` are of each measurement of rates; `preloaded` events are what is saturated with. With
    `uniform_at` both are done once more on subjects that come equally often, at that rate."""

    seconds: float
    rounds: int
    rates: tuple[int, ...]
    preloaded: int
    windows: tuple[Course, ...]
    warm_up: WarmUpCourse
    uniform_at: int | None = None

    @property
    def estimated_s(self) -> float:
        """About how long all of it takes."""
        rates = len(self.rates) + (self.uniform_at is not None)
        latency_s = rates * self.rounds * len(ARMS) * (self.seconds + UNCOUNTED_S + 1)
        saturations = self.rounds * len(ARMS) * (2 if self.uniform_at else 1)
        saturation_s = saturations * (_ARM_READY_S + self.preloaded / _DECIDED_PER_S / 2)
        windows_s = sum(
            each.length_s + _WINDOW_READY_S + each.with_slow_tier * _SLOW_TIER_READY_S for each in self.windows
        )
        warm_up_s = 3 * _ARM_READY_S + 2 * self.warm_up.subjects / _DECIDED_PER_S
        return _TRAINING_AND_STACK_S + latency_s + saturation_s + windows_s + warm_up_s


def extent(*, full: bool, seconds: float | None, rounds: int | None) -> Extent:
    """What is asked for; `seconds` and `rounds` win over its own."""
    lasts_s = seconds or (15.0 if full else 5.0)
    return Extent(
        seconds=lasts_s,
        rounds=rounds or 3,
        rates=RATES,
        preloaded=round(lasts_s * EVENTS_PER_S),
        windows=_WINDOWS if full else (_WINDOW,),
        warm_up=_WARM_UP_OF_ALL if full else _WARM_UP,
        uniform_at=5_000 if full else None,
    )
