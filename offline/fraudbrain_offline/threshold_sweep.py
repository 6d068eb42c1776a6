"""A threshold that moves down over scores: what is alerted at each of its places, from which measures are read.

Events of one score are alerted together, as a threshold on the score cannot tell them apart.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Scores: TypeAlias = npt.NDArray[np.floating[Any]]
Truth: TypeAlias = npt.NDArray[np.bool_]
Weights: TypeAlias = npt.NDArray[np.floating[Any] | np.integer[Any]]


class Curve(NamedTuple):
    """What scores at least each distinct score, from the highest down: frauds, and honest events, by weight."""

    hits: Weights
    false_alarms: Weights

    @property
    def is_measurable(self) -> bool:
        """Whether there are both frauds and honest events. Else the measures mean nothing, and must not be asked."""
        return bool(len(self.hits) and self.hits[-1] > 0 and self.false_alarms[-1] > 0)

    def auc_roc(self) -> float:
        """The area under (false alarms, hits) as shares of all, by trapezoids: those of one score count half."""
        below = self.hits - np.diff(self.hits, prepend=0) / 2
        area = (np.diff(self.false_alarms, prepend=0) * below).sum()
        return float(area / (self.hits[-1] * self.false_alarms[-1]))

    def average_precision(self) -> float:
        """Precision at each threshold, weighted with the share of the frauds that it finds beyond the one before."""
        gained, alerts = np.diff(self.hits, prepend=0), self.hits + self.false_alarms
        at = gained > 0
        return float((gained[at] * self.hits[at] / alerts[at]).sum() / self.hits[-1])

    def recall(self, *, at_fpr: float) -> float:
        """The largest share of the frauds that a threshold finds which alerts at most `at_fpr` of the honest events."""
        allowed = np.searchsorted(self.false_alarms / self.false_alarms[-1], at_fpr, side="right")
        return float(self.hits[allowed - 1] / self.hits[-1]) if allowed else 0.0


class Sweep:
    """Scores in falling order, sorted once, so that curves under many weights cost little."""

    def __init__(self, fraud: Truth, scores: Scores) -> None:
        order = np.argsort(-scores, kind="stable")
        self._order = order
        self._fraud = fraud[order]
        self._ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)) if len(order) else order

    def curve(self, weights: Weights | None = None) -> Curve:
        """The curve where each event counts by its weight, one if none are given."""
        weight = np.ones(len(self._order), np.int64) if weights is None else weights[self._order]
        of_fraud = weight * self._fraud
        return Curve(np.cumsum(of_fraud)[self._ends], np.cumsum(weight - of_fraud)[self._ends])
