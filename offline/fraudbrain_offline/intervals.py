"""How far a measure may be from what other cards would have given: 95 % intervals by resampling subjects.

The events of one subject are alike, so whole subjects are drawn, with replacement, as many as there are; one drawn
twice counts twice with all its events. Interval: the 2.5 and 97.5 percentiles of the measure over the draws. Source:
B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 8 (units drawn) and 13 (percentiles).
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from fraudbrain_offline.threshold_sweep import Curve, Scores, Sweep, Truth, Weights

DRAWS: Final = 400
"""How many times subjects are drawn. Fewer: the ends of an interval are rough. More: it takes longer, each draw a few
milliseconds for 100,000 events."""

_SEED: Final = 0
_ENDS: Final = (0.025, 0.975)

Measure: TypeAlias = Callable[[Curve], float]
Values: TypeAlias = npt.NDArray[np.float64]


class Interval(msgspec.Struct, frozen=True):
    """Both ends of a 95 % interval."""

    low: float
    high: float


def drawn(
    subjects: npt.NDArray[np.str_], statistic: Callable[[Weights], Any], *, draws: int = DRAWS, seed: int = _SEED
) -> Values:
    """A statistic of the events under each draw of their subjects: row by row, whatever numbers it gives.

    It is handed how often each event counts. Several measures, or several scorings, in one statistic see the same
    draws: then the difference of two columns is paired.
    """
    names, member = np.unique(subjects, return_inverse=True)
    chance = np.random.default_rng(seed)
    counts = (np.bincount(chance.integers(len(names), size=len(names)), minlength=len(names)) for _ in range(draws))
    return np.array([statistic(count[member]) for count in counts], np.float64)


def interval(values: Values) -> Interval | None:
    """The interval of one column of draws. NaN is a draw that could not be measured; None if all are."""
    measured = values[np.isfinite(values)]
    if not len(measured):
        return None
    low, high = np.quantile(measured, _ENDS)
    return Interval(float(low), float(high))


def measure_interval(
    measure: Measure, fraud: Truth, scores: Scores, subjects: npt.NDArray[np.str_], *, draws: int = DRAWS
) -> Interval | None:
    """The interval of a measure of one scoring, such as `Curve.average_precision`."""
    sweep = Sweep(fraud, scores)
    return interval(drawn(subjects, lambda weights: _value(measure, sweep.curve(weights)), draws=draws))


def difference_interval(
    measure: Measure,
    fraud: Truth,
    scores: Scores,
    others: Scores,
    subjects: npt.NDArray[np.str_],
    *,
    draws: int = DRAWS,
) -> Interval | None:
    """The interval of how much more the measure is for `scores` than for `others`, on the same events.

    Both are measured on each draw, so what makes a draw easy or hard for both falls out of the difference: the
    interval may lie above 0 though those of the two scorings overlap.
    """
    one, other = Sweep(fraud, scores), Sweep(fraud, others)

    def difference(weights: Weights) -> float:
        return _value(measure, one.curve(weights)) - _value(measure, other.curve(weights))

    return interval(drawn(subjects, difference, draws=draws))


def _value(measure: Measure, curve: Curve) -> float:
    return measure(curve) if curve.is_measurable else np.nan
