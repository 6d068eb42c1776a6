"""The measures of the field: how well scores put frauds before the rest.

AUC ROC and average precision as in scikit-learn, which judges them in the tests; card precision@k as in Le Borgne
and others, "Reproducible Machine Learning for Credit Card Fraud Detection" (2022), chapter 4.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

DAY_MS: Final = 86_400_000

Scores = npt.NDArray[np.floating[Any]]
Truth = npt.NDArray[np.bool_]


def auc_roc(fraud: Truth, scores: Scores) -> float:
    """The chance that a fraud scores above an honest event, ties half. Both must be there."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2  # from 1, that of all events with one score
    frauds, honest = int(fraud.sum()), int((~fraud).sum())
    return float((mean_rank[place][fraud].sum() - frauds * (frauds + 1) / 2) / (frauds * honest))


def average_precision(fraud: Truth, scores: Scores) -> float:
    """The precision at each fraud's score, averaged over the frauds. One must be there."""
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(fraud[order])
    last_of_score = np.append(np.diff(scores[order]) != 0, True)
    alerts, hits = np.flatnonzero(last_of_score) + 1, found[last_of_score]
    gained = np.diff(hits, prepend=0)
    return float((gained * hits / alerts).sum() / hits[-1])


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
