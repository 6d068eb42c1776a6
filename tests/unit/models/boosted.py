"""Random models and rows, small enough to be trained in a test."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

FEATURES = ("spend_1d_count", "spend_1d_sum", "amount_over_usual", "amount", "last_payment_seconds_since")


@dataclass(frozen=True)
class Boosted:
    """A booster, rows like those it was trained on, and its scores for them."""

    booster: xgboost.Booster
    rows: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]


def boosted(seed: int, *, rounds: int = 20, rows: int = 600, **parameters: Any) -> Boosted:
    chance = np.random.default_rng(seed)
    values = (chance.normal(size=(rows, len(FEATURES))) * 10.0 ** chance.integers(-3, 6, len(FEATURES))).astype("f4")
    values[:, 0] = chance.integers(0, 5, rows)  # rows stand exactly on its thresholds' two sides
    values[chance.random(values.shape) < 0.15] = np.nan
    odds = np.nan_to_num(values[:, 0]) - 2 + 2 * (values[:, 3] > 0) + chance.normal(size=rows)
    matrix = xgboost.DMatrix(values, label=odds > 1, feature_names=list(FEATURES), nthread=1)
    settings = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "nthread": 1, "seed": seed}
    booster = xgboost.train(settings | parameters, matrix, rounds)
    return Boosted(booster, values, booster.predict(matrix))
