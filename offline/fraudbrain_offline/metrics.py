"""The measures of the field: how well scores put frauds before the rest, and what a policy costs.

AUC ROC, average precision and recall at a share of false positives as in scikit-learn, which judges them in the
tests; card precision@k as in Le Borgne and others, "Reproducible Machine Learning for Credit Card Fraud Detection"
(2022), chapter 4; money after Bahnsen and others, "Example-Dependent Cost-Sensitive Decision Trees", Expert Systems
with Applications 42 (2015), with the costs that a scenario states.
"""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from fraudbrain_offline.threshold_sweep import Scores, Sweep, Truth, Weights

DAY_MS: Final = 86_400_000


def auc_roc(fraud: Truth, scores: Scores, weights: Weights | None = None) -> float:
    """The chance that a fraud scores above an honest event, ties half. Both must be there.

    Σ over thresholds of Δfalse alarms × (hits before + hits after) / 2, over frauds × honest events, which is the
    statistic of Mann and Whitney. A weight says how often its event counts.
    """
    return Sweep(fraud, scores).curve(weights).auc_roc()


def average_precision(fraud: Truth, scores: Scores, weights: Weights | None = None) -> float:
    """The precision at each fraud's score, averaged over the frauds. One must be there.

    Σ over thresholds of Δrecall × precision, without interpolation.
    """
    return Sweep(fraud, scores).curve(weights).average_precision()


def recall_at_fpr(fraud: Truth, scores: Scores, weights: Weights | None = None, *, at_fpr: float = 0.01) -> float:
    """The share of the frauds that is found while at most `at_fpr` of the honest events are alerted.

    max {hits(t) / frauds : false alarms(t) / honest events ≤ at_fpr} over the thresholds t, those between two distinct
    scores and above all of them: events of one score are alerted together or not at all, and there is no
    interpolation. 0 where the highest score alone has more false alarms. Frauds and honest events must be there.
    """
    return Sweep(fraud, scores).curve(weights).recall(at_fpr=at_fpr)


def card_precision(
    fraud: Truth, scores: Scores, subjects: npt.NDArray[np.str_], times_ms: npt.NDArray[np.int64], *, top: int = 100
) -> float:
    """The share of defrauded cards among the `top` that score highest in a day, averaged over the days.

    A card scores as its highest payment of the day. One that was found leaves the following days: it is blocked.
    """
    days = times_ms // DAY_MS
    blocked: set[str] = set()
    shares: list[float] = []
    for day in np.unique(days):
        best: dict[str, float] = {}
        defrauded: set[str] = set()
        for at in np.flatnonzero(days == day):
            card = str(subjects[at])
            if card in blocked:
                continue
            best[card] = max(best.get(card, 0.0), float(scores[at]))
            if fraud[at]:
                defrauded.add(card)
        alerted = sorted(best, key=lambda card: (-best[card], card))[:top]
        hits = defrauded.intersection(alerted)
        shares.append(len(hits) / top)
        blocked |= hits
    return float(np.mean(shares)) if shares else 0.0


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What outcomes cost, in minor units: `fraud` that was let through, `reviews`, and margin lost on honest
    events that were declined (`declines`)."""

    fraud: int
    reviews: int
    declines: int

    @property
    def total(self) -> int:
        """All of it. What it is less than that of approving everything was saved."""
        return self.fraud + self.reviews + self.declines


def money(
    fraud: Truth,
    outcomes: npt.NDArray[np.str_],
    amounts: npt.NDArray[np.int64],
    *,
    review_cost: int,
    margin: float,
) -> Cost:
    """What a policy that gave these outcomes costs.

    `amounts` are what the events are about, in minor units; `review_cost`, minor units, what it costs to have a person
    look at one event; `margin` the share of its amount that is lost when an honest event is declined. These are the
    scenario's `[money]`.

    fraud = Σ amounts of frauds approved; reviews = `review_cost` × events reviewed; declines = `margin` × Σ amounts of
    honest events declined, rounded once. Whoever reviews a fraud is taken to stop it, and to let an honest event pass.
    """
    approved, declined = outcomes == "approve", outcomes == "decline"
    return Cost(
        fraud=int(amounts[fraud & approved].sum()),
        reviews=review_cost * int((outcomes == "review").sum()),
        declines=round(margin * int(amounts[~fraud & declined].sum())),
    )
