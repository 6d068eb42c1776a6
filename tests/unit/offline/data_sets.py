"""Data sets without a lake: payments of which large ones are mostly frauds, labelled after delays that vary."""

from dataclasses import replace
from typing import Any, Final

import numpy as np

from fraudbrain_offline.dataset import DataSet
from fraudbrain_shared.scenario.description import ModelDescription
from tests.unit.streaming.archiving import APPENDED, DAY_MS

BEGIN_MS: Final = APPENDED - 200 * DAY_MS
MODEL: Final = ModelDescription(features=("amount", "noise"), retrain_every_ms=DAY_MS, rounds=5, depth=2)


def data_set(seed: int = 1, *, days: int = 85, payments: int = 2_000, cards: int = 300, **changes: Any) -> DataSet:
    """Frauds are known within ten days, good payments within twenty; amounts stand as they are in `rows`."""
    chance = np.random.default_rng(seed)
    times = BEGIN_MS + np.sort(chance.integers(0, days * DAY_MS, payments))
    amounts = np.round(chance.lognormal(8, 1, payments))
    fraud = chance.random(payments) < np.where(amounts > 8_000, 0.5, 0.005)
    delays = chance.integers(0, np.where(fraud, 10, 20) * DAY_MS)
    made = DataSet(
        features=MODEL.features,
        feature_set="f",
        cut_ms=BEGIN_MS + (days + 20) * DAY_MS,
        rows=np.column_stack([amounts, chance.random(payments)]).astype(np.float32),
        fraud=fraud,
        event_ids=np.array([f"e{at:06}" for at in range(payments)]),
        subjects=np.array([f"card{card}" for card in chance.integers(cards, size=payments)]),
        event_times=times,
        known_at=times + delays,
        types=np.where(chance.random(payments) < 0.3, "refund", "payment"),
        outcomes=np.where(amounts > 30_000, "decline", np.where(amounts > 15_000, "review", "approve")),
        findings=(amounts > 15_000).astype(np.int64),
        champion_scores=np.full(payments, np.nan),
        maturity_ms=20 * DAY_MS,
        immature=0,
        unlabelled=0,
        other_feature_sets=0,
    )
    return replace(made, **changes)
