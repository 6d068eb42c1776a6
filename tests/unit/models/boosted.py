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
    """A model of the features above, which are all numbers."""
    chance = np.random.default_rng(seed)
    values = (chance.normal(size=(rows, len(FEATURES))) * 10.0 ** chance.integers(-3, 6, len(FEATURES))).astype("f4")
    values[:, 0] = chance.integers(0, 5, rows)  # rows stand exactly on its thresholds' two sides
    values[chance.random(values.shape) < 0.15] = np.nan
    odds = np.nan_to_num(values[:, 0]) - 2 + 2 * (values[:, 3] > 0) + chance.normal(size=rows)
    matrix = xgboost.DMatrix(values, label=odds > 1, feature_names=list(FEATURES), nthread=1)
    settings = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "nthread": 1, "seed": seed}
    booster = xgboost.train(settings | parameters, matrix, rounds)
    return Boosted(booster, values, booster.predict(matrix))


def random_model(seed: int, *, rows: int = 400, **parameters: Any) -> Boosted:
    """A model of any kind that can be released, on features of any kind that can be read."""
    chance = np.random.default_rng(seed)
    columns, types = zip(*(_column(chance, rows) for _ in range(chance.integers(2, 8))), strict=True)
    values = np.column_stack(columns).astype(np.float32)
    values[chance.random(values.shape) < chance.choice([0.0, 0.1, 0.4])] = np.nan
    settings = _settings(chance, with_categories="c" in types) | parameters
    if settings["booster"] == "dart":
        settings["rate_drop"] = 0.3
    names = [f"feature_{at}" for at in range(len(types))]
    matrix = xgboost.DMatrix(
        values, _label(chance, values), feature_names=names, feature_types=types, enable_categorical=True, nthread=1
    )
    stopping: dict[str, Any] = {}
    if chance.random() < 0.3:
        stopping = {"evals": [(matrix, "training")], "early_stopping_rounds": 2, "verbose_eval": False}
    booster = xgboost.train(settings | {"nthread": 1, "seed": seed}, matrix, int(chance.integers(1, 25)), **stopping)
    end = int(booster.attr("best_iteration") or booster.num_boosted_rounds() - 1) + 1
    return Boosted(booster, values, booster.predict(matrix, iteration_range=(0, end)))


def _column(chance: np.random.Generator, rows: int) -> tuple[npt.NDArray[np.float64], str]:
    match chance.integers(6):
        case 0:
            return chance.integers(0, chance.integers(2, 80), rows).astype(np.float64), "c"
        case 1:
            return chance.zipf(1.5, rows).clip(max=40) - 1.0, "c"
        case 2:
            return chance.integers(-2, 3, rows).astype(np.float64), "q"
        case 3:
            return np.full(rows, chance.choice([0.0, -1.0, 3e38])), "q"
        case _:
            return chance.normal(size=rows) * 10.0 ** chance.integers(-30, 30), "q"


def _label(chance: np.random.Generator, values: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Something to learn of each feature, numbers and categories and missing values alike."""
    odds = chance.normal(size=len(values))
    for column in values.T:
        weights = chance.normal(size=8)
        odds += weights[np.nan_to_num(np.abs(column) % 7, nan=7).astype(int)] + weights[0] * (column > 0)
    return odds > np.quantile(odds, 0.7)


def _settings(chance: np.random.Generator, *, with_categories: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "objective": chance.choice(["binary:logistic", "binary:logistic", "reg:logistic"]),
        "booster": chance.choice(["gbtree", "gbtree", "dart"]),
        "tree_method": chance.choice(["hist", "approx"] if with_categories else ["hist", "approx", "exact"]),
        "max_depth": int(chance.integers(1, 8)),
        "eta": chance.choice([0.1, 0.3, 1.0]),
        "gamma": chance.choice([0.0, 0.5]),
        "max_cat_to_onehot": int(chance.choice([1, 4, 100])),
        "scale_pos_weight": chance.choice([1.0, 20.0]),
        "num_parallel_tree": int(chance.choice([1, 1, 3])),
        "subsample": 0.8,
    }
    if chance.random() < 0.5:
        settings["base_score"] = chance.choice([0.5, 0.01])
    if settings["tree_method"] != "exact" and chance.random() < 0.3:
        settings |= {"grow_policy": "lossguide", "max_depth": 0, "max_leaves": int(chance.integers(2, 40))}
    return settings
