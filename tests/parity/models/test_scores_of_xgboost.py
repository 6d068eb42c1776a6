"""The kernel against XGBoost, its oracle."""

from math import fsum
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost

from fraudbrain_offline.release import release_of
from fraudbrain_shared.models import Scorer, load_scorer, seal
from tests.unit.models.boosted import Boosted, boosted, random_model

TOLERANCE = 1e-6


def scorer_of(model: Boosted, **about: Any) -> Scorer:
    release = release_of(model.booster, model.rows, **about)
    return load_scorer(seal(release), release.features)


def difference(model: Boosted) -> float:
    return float(np.abs(scorer_of(model).scores(model.rows.astype(np.float64)) - model.scores).max())


@pytest.mark.parametrize("seed", range(40))
def test_any_model_of_trees_scores_as_xgboost_does(seed: int) -> None:
    assert difference(random_model(seed)) <= TOLERANCE


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("settings", [{"base_score": 0.5}, {}, {"max_depth": 7, "gamma": 2.0, "max_bin": 1024}])
def test_a_model_as_we_train_it_scores_as_xgboost_does(seed: int, settings: dict[str, Any]) -> None:
    assert difference(boosted(seed, **settings)) <= TOLERANCE


def test_one_row_scores_as_the_booster_does_at_once() -> None:
    model = boosted(1)
    scorer = scorer_of(model)
    for row in model.rows[:50]:
        values = [None if np.isnan(value) else float(value) for value in row]
        assert abs(scorer.score(values) - model.booster.inplace_predict(row.reshape(1, -1))[0]) <= TOLERANCE


def test_a_threshold_at_infinity_parts_what_is_there_from_what_is_missing() -> None:
    chance = np.random.default_rng(2)
    rows = np.where(chance.random((300, 2)) < 0.5, np.nan, [[3e38, 1.0]]).astype(np.float32)
    matrix = xgboost.DMatrix(rows, label=np.isnan(rows[:, 0]), feature_names=["huge", "plain"], nthread=1)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, matrix, 3)
    assert b"Infinity" in bytes(booster.save_raw("json"))
    assert difference(Boosted(booster, rows, booster.predict(matrix))) <= TOLERANCE


def test_rounds_may_be_chosen_and_else_end_with_the_best() -> None:
    model = boosted(3, rounds=12)
    matrix = xgboost.DMatrix(model.rows, feature_names=model.booster.feature_names, nthread=1)
    rows = model.rows.astype(np.float64)
    for rounds in ((0, 5), (4, 12)):
        expected = model.booster.predict(matrix, iteration_range=rounds)
        assert np.abs(scorer_of(model, rounds=rounds).scores(rows) - expected).max() <= TOLERANCE
    model.booster.set_attr(best_iteration="7")
    assert np.abs(scorer_of(model).scores(rows) - model.booster.predict(matrix, iteration_range=(0, 8))).max() <= 1e-6


def test_categories_of_a_table_are_those_of_the_release() -> None:
    chance = np.random.default_rng(4)
    kinds = pa.array(chance.choice(["fuel", "food", "travel"], 400)).dictionary_encode()
    amounts = chance.normal(size=400)
    table = pa.table({"kind": kinds, "amount": amounts})
    label = (np.array(kinds.to_pylist()) == "fuel") & (amounts > 0)
    matrix = xgboost.DMatrix(table, label=label, enable_categorical=True, nthread=1)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, matrix, 5)
    rows = np.column_stack((kinds.indices.to_numpy(), amounts)).astype(np.float32)
    scorer = scorer_of(Boosted(booster, rows, booster.predict(matrix)))
    assert set(scorer.release.categories["kind"]) == {"fuel", "food", "travel"}
    scores = [scorer.score([kind, float(amount)]) for kind, amount in zip(kinds.to_pylist(), rows[:, 1], strict=True)]
    assert np.abs(np.array(scores) - booster.predict(matrix)).max() <= TOLERANCE


@pytest.mark.parametrize("seed", range(12))
def test_contributions_are_those_that_xgboost_calls_approximate(seed: int) -> None:
    model = random_model(seed, booster="gbtree")
    scorer = scorer_of(model)
    booster = model.booster[: int(model.booster.attr("best_iteration") or model.booster.num_boosted_rounds() - 1) + 1]
    matrix = xgboost.DMatrix(
        model.rows,
        feature_names=booster.feature_names,
        feature_types=booster.feature_types,
        enable_categorical=True,
        nthread=1,
    )
    expected = booster.predict(matrix, pred_contribs=True, approx_contribs=True)
    for row, values in list(zip(model.rows.tolist(), expected, strict=True))[:30]:
        found = scorer.contributions(row)
        assert [*found.by_feature.values(), found.bias] == pytest.approx(values, rel=1e-3, abs=1e-3)
        assert fsum((found.bias, *found.by_feature.values())) == pytest.approx(float(values.sum()), rel=1e-4, abs=1e-4)
