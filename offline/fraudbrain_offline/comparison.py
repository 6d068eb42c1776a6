"""A model's scores beside others that were there at the time, on the same held-out events."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from fraudbrain_offline.amounts import Amounts
from fraudbrain_offline.held_out import Rows
from fraudbrain_offline.intervals import drawn
from fraudbrain_offline.metrics import Cost, money
from fraudbrain_offline.threshold_sweep import Scores, Truth, Weights
from fraudbrain_offline.weekly_measures import MeasureIntervals, Measures, WeeklyScores, as_intervals, as_measures
from fraudbrain_shared.scenario.description import Money


class Costs(msgspec.Struct, frozen=True):
    """What it costs to review as many events a week, `reviews` in all, by either scoring: the highest."""

    reviews: int
    model: Cost
    other: Cost


class Comparison(msgspec.Struct, frozen=True):
    """The model and the other one on the same `rows` events, `frauds` of them frauds.

    `intervals` are those of `difference`, model minus other, by paired draws of subjects.
    """

    rows: int
    frauds: int
    model: Measures
    other: Measures
    difference: Measures
    intervals: MeasureIntervals
    costs: Costs | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """Held-out events: whose they are, what they turned out to be, where the weeks stand, and what is at stake.

    Amounts are NaN where they are not known; costs are reckoned over the others.
    """

    subjects: npt.NDArray[np.str_]
    fraud: Truth
    weeks: Sequence[Rows]
    amounts: Amounts
    money: Money | None

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Events":
        """The chosen ones."""
        place = np.cumsum(chosen) - 1
        return Events(
            self.subjects[chosen],
            self.fraud[chosen],
            [place[rows[chosen[rows]]] for rows in self.weeks],
            self.amounts[chosen],
            self.money,
        )

    def cost(self, outcomes: npt.NDArray[np.str_]) -> Cost | None:
        """What outcomes cost; None where nothing is known of money."""
        known = np.isfinite(self.amounts)
        if self.money is None or not known.any():
            return None
        amounts = self.amounts[known].astype(np.int64)
        review_cost, margin = self.money.review_cost, self.money.margin
        return money(self.fraud[known], outcomes[known], amounts, review_cost=review_cost, margin=margin)


def compare(events: Events, model: Scores, other: Scores, alerted: npt.NDArray[np.bool_]) -> Comparison | None:
    """Both scorings measured week by week; None if no week has frauds and honest events.

    `alerted` are events that somebody looked at: as many of each week are reviewed for the costs.
    """
    ours, theirs = (WeeklyScores(events.weeks, events.fraud, scores) for scores in (model, other))
    measured = ours.measures(), theirs.measures()
    if measured[0] is None or measured[1] is None:
        return None

    def difference(weights: Weights) -> npt.NDArray[np.float64]:
        return ours.means(weights) - theirs.means(weights)

    return Comparison(
        rows=len(events.fraud),
        frauds=int(events.fraud.sum()),
        model=measured[0],
        other=measured[1],
        difference=as_measures(ours.means() - theirs.means()),
        intervals=as_intervals(drawn(events.subjects, difference)),
        costs=_costs(events, model, other, alerted),
    )


def _costs(events: Events, model: Scores, other: Scores, alerted: npt.NDArray[np.bool_]) -> Costs | None:
    priced = np.isfinite(events.amounts)
    among = events.only(priced)
    reviews = [int(alerted[priced][rows].sum()) for rows in among.weeks]
    ours, theirs = (among.cost(_highest(among.weeks, scores[priced], reviews)) for scores in (model, other))
    if not any(reviews) or ours is None or theirs is None:
        return None
    return Costs(sum(reviews), ours, theirs)


def _highest(weeks: Sequence[Rows], scores: Scores, reviews: Sequence[int]) -> npt.NDArray[np.str_]:
    """Outcomes: of each week so many that score highest are reviewed, of equal scores the earlier; the others pass."""
    outcomes = np.full(len(scores), "approve", np.dtype("U7"))
    for rows, count in zip(weeks, reviews, strict=True):
        outcomes[rows[np.argsort(-scores[rows], kind="stable")[:count]]] = "review"
    return outcomes
