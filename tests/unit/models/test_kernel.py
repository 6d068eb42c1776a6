"""The kernel against XGBoost, its oracle."""

from typing import Any

import numpy as np
import pytest

from fraudbrain_shared.models import load_scorer, seal
from fraudbrain_shared.models.structure import FLOAT32_MAX
from tests.unit.models.boosted import FEATURES, boosted
from tests.unit.models.releases import release_of


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("settings", [{"base_score": 0.5}, {}, {"max_depth": 7, "gamma": 2.0, "max_bin": 1024}])
def test_the_kernel_scores_as_xgboost_does(seed: int, settings: dict[str, Any]) -> None:
    model = boosted(seed, **settings)
    scorer = load_scorer(seal(release_of(model)), FEATURES)
    scored = [scorer.score(tuple(None if np.isnan(value) else float(value) for value in row)) for row in model.rows]
    assert np.abs(np.array(scored) - model.scores).max() <= 1e-6


def test_features_are_found_by_name_whatever_the_order_in_which_they_are_logged() -> None:
    model = boosted(1)
    record = seal(release_of(model))
    logged = ("unused", *reversed(FEATURES), "also_unused")
    for row in model.rows[:20].astype(float):
        assert load_scorer(record, logged).score([9.0, *reversed(row), None]) == load_scorer(record, FEATURES).score(
            row
        )


def test_what_float32_cannot_hold_is_missing() -> None:
    scorer = load_scorer(seal(release_of(boosted(2))), FEATURES)
    missing = scorer.score([None] * len(FEATURES))
    for value in (float("nan"), float("inf"), -float("inf"), 2 * FLOAT32_MAX, -1e300):
        assert scorer.score([value] * len(FEATURES)) == missing


def test_a_model_of_one_leaf_and_one_feature_scores() -> None:
    model = boosted(3, rounds=1, max_depth=1, gamma=1e9)
    release = release_of(model, features=FEATURES[:1], golden=((None,),), golden_scores=(float(model.scores[0]),))
    assert load_scorer(seal(release), FEATURES).score([1.0] * len(FEATURES)) == pytest.approx(model.scores[0], abs=1e-6)
