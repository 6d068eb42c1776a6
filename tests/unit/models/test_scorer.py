"""How a release scores what decisions log, and what it says of the score."""

from math import exp, fsum

import msgspec
import numpy as np
import pytest

from fraudbrain_shared.models import Value, load_scorer, seal
from fraudbrain_shared.models.structure import FLOAT32_MAX
from fraudbrain_shared.records import Histogram, ModelRelease
from tests.unit.models import naive
from tests.unit.models.boosted import FEATURES, boosted, random_model
from tests.unit.models.releases import release_of, with_categories


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
    release = release_of(model)
    one = msgspec.structs.replace(
        release, features=FEATURES[:1], histograms={FEATURES[0]: Histogram((), (1,))}, golden=((None,),)
    )
    assert load_scorer(seal(one), FEATURES).score([1.0] * len(FEATURES)) == model.scores[0]


def test_the_kernel_scores_as_the_plain_judge_does() -> None:
    chance = np.random.default_rng(5)
    for seed in range(3):
        release = with_categories(seed)
        scorer = load_scorer(seal(release), release.features)
        for _ in range(100):
            row = [any_value(release, name, chance) for name in release.features]
            assert scorer.score(row) == pytest.approx(naive.score(release, row), abs=1e-6)


def any_value(release: ModelRelease, name: str, chance: np.random.Generator) -> Value:
    values = release.categories.get(name, ())
    if chance.random() < 0.2:
        return None
    if values and chance.random() < 0.8:
        return values[chance.integers(len(values))]
    return float(chance.choice(release.trees.value)) + float(chance.integers(-1, 2))


def test_a_category_that_the_release_does_not_have_is_missing() -> None:
    release = with_categories(1)
    scorer = load_scorer(seal(release), release.features)
    missing = scorer.score([None] * len(release.features))
    for value in ("never seen", 0.5, -1.0, 1e9, float("nan"), float("inf")):
        row = [value if name in release.categories else None for name in release.features]
        assert scorer.score(row) == missing
    codes = np.array([[1e9 if name in release.categories else np.nan for name in release.features]] * 2)
    assert scorer.scores(codes).tolist() == [missing, missing]


def test_many_rows_score_as_they_do_one_by_one() -> None:
    model = random_model(12, rows=200)
    scorer = load_scorer(seal(release_of(model)), (*(model.booster.feature_names or ()), "unused"))
    rows = np.column_stack((model.rows, np.zeros(len(model.rows)))).astype(np.float64)
    assert scorer.scores(rows).tolist() == [scorer.score(row) for row in rows.tolist()]
    with pytest.raises(ValueError, match="values are scored"):
        scorer.scores(rows[:, 1:])


@pytest.mark.parametrize("seed", range(8))
def test_contributions_and_bias_add_up_to_the_margin_of_the_score(seed: int) -> None:
    model = random_model(seed)
    release = release_of(model)
    scorer = load_scorer(seal(release), release.features)
    for row in model.rows[:50].tolist():
        found = scorer.contributions(row)
        assert set(found.by_feature) == set(release.features)
        assert found.margin == pytest.approx(fsum((found.bias, *found.by_feature.values())), abs=0)
        assert scorer.score(row) == pytest.approx(1 / (1 + exp(-found.margin)), abs=1e-6)


def test_a_feature_that_is_not_asked_contributes_nothing() -> None:
    model = boosted(4)
    release = release_of(model)
    asked = {release.features[feature] for feature in release.trees.feature if feature >= 0}
    logged = (*FEATURES, "unused")
    found = load_scorer(seal(release), logged).contributions([*model.rows[0].tolist(), 9.0])
    assert all(found.by_feature[name] == 0 for name in set(FEATURES) - asked)
    assert "unused" not in found.by_feature
