"""Golden rows reach all that can be reached, with made-up rows where the training data do not."""

import msgspec
import numpy as np
import pytest

from fraudbrain_offline.golden import golden_rows
from fraudbrain_offline.release import release_of
from fraudbrain_shared.models.forest import Forest, lay_out
from fraudbrain_shared.models.paths import Paths
from fraudbrain_shared.records import ModelRelease
from tests.unit.models.boosted import FEATURES, boosted, random_model


def leaves(release: ModelRelease) -> set[int]:
    return {node for node, feature in enumerate(release.trees.feature) if feature < 0}


@pytest.mark.parametrize("seed", range(12))
def test_every_leaf_that_any_row_reaches_is_reached_by_a_golden_one(seed: int) -> None:
    model = random_model(seed)
    release = release_of(model.booster, model.rows)
    found = golden_rows(release, model.rows[:3], limit=20_000)  # most leaves need a row that is made up
    forest, paths = Forest(lay_out(release, release.features)), Paths(release)
    reached = set(forest.leaves(found.rows.astype(np.float64)).ravel().tolist())
    assert reached == {leaf for leaf in leaves(release) if paths.values_to(leaf) is not None}
    assert (found.leaves, found.unreachable, found.left_out) == (
        len(leaves(release)),
        len(leaves(release)) - len(reached),
        0,
    )


@pytest.mark.parametrize("seed", range(12))
def test_values_on_a_path_lead_to_its_leaf_and_no_row_reaches_one_that_has_none(seed: int) -> None:
    model = random_model(seed)
    release = release_of(model.booster, model.rows)
    forest, paths = Forest(lay_out(release, release.features)), Paths(release)
    reached = set(forest.leaves(model.rows.astype(np.float64)).ravel().tolist())
    for leaf in leaves(release):
        values = paths.values_to(leaf)
        assert leaf not in reached or values is not None
        if values is not None:
            row = model.rows[:1].astype(np.float64)
            row[0, list(values)] = [np.nan if value is None else value for value in values.values()]
            assert leaf in forest.leaves(row)


def test_a_limit_is_kept_and_what_is_left_out_is_told() -> None:
    model = boosted(1)
    release = release_of(model.booster, model.rows)
    found = golden_rows(release, model.rows, limit=3)
    assert len(found.rows) == 3
    assert found.left_out > 0
    assert len(release.golden) < len(leaves(release)) / 3  # one row reaches a leaf of each tree


def test_two_thresholds_that_contradict_each_other_leave_no_way() -> None:
    release = release_of(boosted(1, rounds=1).booster, boosted(1, rounds=1).rows)
    trees = msgspec.structs.replace(
        release.trees,
        roots=(0,),
        feature=(0, 0, -1, -1, -1),
        value=(1.0, 2.0, 0.5, -0.5, 0.25),
        left=(1, 3, -1, -1, -1),
        right=(2, 4, -1, -1, -1),
        missing_left=(False, True, False, False, False),
        cover=(),
    )
    paths = Paths(msgspec.structs.replace(release, trees=trees))
    assert paths.values_to(4) is None
    assert paths.values_to(2) == {FEATURES.index("spend_1d_count"): 1.0}
    below = paths.values_to(3)
    assert below is not None
    assert np.float32(below[0] or 0) == np.nextafter(np.float32(1), np.float32(0))
