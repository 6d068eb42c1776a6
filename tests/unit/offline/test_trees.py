"""What can be released of XGBoost's models, and what is refused with its reason."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xgboost

from fraudbrain_offline.release import release_of
from fraudbrain_offline.trees import UnsupportedModel, _base_margin, flatten
from tests.unit.models.boosted import boosted

ROWS = np.random.default_rng(1).normal(size=(200, 3)).astype(np.float32)
LABEL = ROWS[:, 0] > 0


def trained(label: Any = LABEL, **settings: Any) -> xgboost.Booster:
    matrix = xgboost.DMatrix(ROWS, label=label, feature_names=["a", "b", "c"], nthread=1)
    return xgboost.train({"objective": "binary:logistic", "nthread": 1} | settings, matrix, 3)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"objective": "multi:softprob", "num_class": 3, "label": np.arange(200) % 3}, "gbtree with multi:softprob"),
        ({"booster": "gblinear"}, "gblinear with binary:logistic; gbtree and dart with"),
        ({"objective": "binary:logitraw"}, "gbtree with binary:logitraw"),
        ({"objective": "reg:squarederror"}, "gbtree with reg:squarederror"),
        ({"objective": "rank:pairwise"}, "gbtree with rank:pairwise"),
        ({"label": np.column_stack((LABEL, ~LABEL))}, "several classes or targets"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*is deprecated:UserWarning")
def test_what_gives_no_probability_by_trees_is_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnsupportedModel, match=reason):
        release_of(trained(**settings), ROWS)


@pytest.mark.parametrize("base_score", ["5E-1", "[5E-1]", "0.5", "[0.5]"])
def test_a_base_score_is_read_as_every_version_writes_it(base_score: str) -> None:
    assert _base_margin(base_score) == 0


@pytest.mark.parametrize("base_score", ["[5E-1,5E-1]", "[]", "", "[0E0]", "[1E0]", "[-1E0]", "[nan]", "half"])
def test_a_base_score_that_is_not_one_probability_is_refused(base_score: str) -> None:
    with pytest.raises(UnsupportedModel, match="base score"):
        _base_margin(base_score)


def test_columns_that_are_not_those_of_the_booster_are_refused() -> None:
    for about in ({"features": ("b", "a", "c")}, {"features": ("a", "b")}):
        with pytest.raises(UnsupportedModel, match="the 3 columns are"):
            release_of(trained(), ROWS, **about)


def test_rounds_that_there_are_not_are_refused() -> None:
    for rounds in ((0, 4), (2, 2), (-1, 2)):
        with pytest.raises(UnsupportedModel, match="of a booster that has 3"):
            release_of(trained(), ROWS, rounds=rounds)


def test_children_stand_after_their_parents_and_covers_add_up() -> None:
    trees = flatten(boosted(1).booster).trees
    for node, (left, right) in enumerate(zip(trees.left, trees.right, strict=True)):
        if trees.feature[node] >= 0:
            assert node < left < right
            assert trees.cover[node] == pytest.approx(trees.cover[left] + trees.cover[right], rel=1e-4)


def test_histograms_say_how_the_training_data_were_spread() -> None:
    model = boosted(1)
    release = release_of(model.booster, model.rows)
    for column, name in zip(model.rows.T, release.features, strict=True):
        histogram = release.histograms[name]
        assert histogram.missing == np.isnan(column).sum()
        assert sum(histogram.counts) == (~np.isnan(column)).sum()
        edges = (-np.inf, *histogram.edges, np.inf)
        inside = [(column >= low) & (column < high) for low, high in pairwise(edges)]
        assert list(histogram.counts) == [each.sum() for each in inside]
    amounts, scores = release.histograms["amount"], release.score_histogram
    assert max(amounts.counts) - min(amounts.counts) <= 1 + 0.1 * sum(amounts.counts) / 10
    assert scores is not None
    assert sum(scores.counts) == len(model.rows)
