"""Validation as it would have been: trained on what was known at the time, judged by the weeks that followed."""

from typing import Final

import numpy as np

from fraudbrain_offline.dataset import DataSet
from fraudbrain_offline.metrics import auc_roc, average_precision, card_precision
from fraudbrain_offline.training import as_matrix, scores, train
from fraudbrain_shared.scenario.description import ModelDescription

_HELD_OUT_SHARE: Final = 0.2  # of the time from the first event to the last


def validate(data: DataSet, description: ModelDescription) -> dict[str, float]:
    """How a model does on the last fifth of the time, trained on the labels that were known when it began.

    Cards of which a fraud was known by then are left out: they are blocked. Empty where either part
    lacks frauds or honest events, so that nothing can be measured.
    """
    if not len(data):
        return {}
    first, last = int(data.event_times[0]), int(data.event_times[-1])
    begin = last - int((last - first) * _HELD_OUT_SHARE)
    known = (data.event_times < begin) & (data.known_at <= begin)
    blocked = np.unique(data.subjects[known & data.fraud])
    held_out = (data.event_times >= begin) & ~np.isin(data.subjects, blocked)
    if any(not 0 < data.fraud[part].sum() < part.sum() for part in (known, held_out)):
        return {}
    booster = train(as_matrix(data.rows[known], data.features, data.fraud[known]), description)
    fraud, found = data.fraud[held_out], scores(booster, as_matrix(data.rows[held_out], data.features))
    return {
        "auc_roc": auc_roc(fraud, found),
        "average_precision": average_precision(fraud, found),
        "card_precision_100": card_precision(fraud, found, data.subjects[held_out], data.event_times[held_out]),
        "held_out_rows": float(held_out.sum()),
        "held_out_frauds": float(fraud.sum()),
    }
