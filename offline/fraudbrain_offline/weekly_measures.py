"""The measures of scores that belong to several weeks: each week by itself, then the mean."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from fraudbrain_offline.held_out import Rows
from fraudbrain_offline.intervals import Interval, Values, interval
from fraudbrain_offline.threshold_sweep import Curve, Scores, Sweep, Truth, Weights

_FPR: Final = 0.01


class Measures(msgspec.Struct, frozen=True):
    """How well scores put frauds before the rest, as in `metrics`; also differences of two scorings."""

    auc_roc: float
    average_precision: float
    recall_at_1pct_fpr: float


class MeasureIntervals(msgspec.Struct, frozen=True):
    """The 95 % interval of each; None where hardly anything could be measured."""

    auc_roc: Interval | None
    average_precision: Interval | None
    recall_at_1pct_fpr: Interval | None


NAMES: Final = Measures.__struct_fields__


class WeeklyScores:
    """One scoring of events. `weeks` says where in `fraud` and `scores` each week's events stand.

    Scores of different weeks come from different models and are never compared with each other.
    """

    def __init__(self, weeks: Sequence[Rows], fraud: Truth, scores: Scores) -> None:
        self._weeks = [(rows, Sweep(fraud[rows], scores[rows])) for rows in weeks]

    def means(self, weights: Weights | None = None) -> Values:
        """The measures in the order of NAMES: the mean over the weeks with frauds and honest events; NaN without one.

        `weights` say how often each event counts.
        """
        curves = [sweep.curve(None if weights is None else weights[rows]) for rows, sweep in self._weeks]
        measured = [_measures(curve) for curve in curves if curve.is_measurable]
        return np.mean(measured, axis=0) if measured else np.full(len(NAMES), np.nan)

    def measures(self) -> Measures | None:
        """The same as a record; None if no week has both frauds and honest events."""
        means = self.means()
        return None if np.isnan(means).any() else as_measures(means)


def as_measures(values: Values) -> Measures:
    """Values in the order of NAMES."""
    return Measures(*map(float, values))


def as_intervals(draws: Values) -> MeasureIntervals:
    """Draws (`intervals.drawn`) whose columns are the measures."""
    return MeasureIntervals(*(interval(column) for column in draws.T))


def _measures(curve: Curve) -> tuple[float, float, float]:
    return curve.auc_roc(), curve.average_precision(), curve.recall(at_fpr=_FPR)
