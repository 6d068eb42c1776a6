"""Golden rows: training rows that between them reach every leaf of a model, so that its scores pin it down."""

import numpy as np
import numpy.typing as npt
import xgboost

from fraudbrain_offline.trees import FlatModel


def golden_rows(
    booster: xgboost.Booster, flat: FlatModel, matrix: xgboost.DMatrix, *, limit: int
) -> npt.NDArray[np.int64]:
    """Which rows of the matrix to keep, in order: at most `limit`, chosen greedily.

    Leaves that few rows reach come first, each by the first row that does: what is common is reached by the way.
    """
    reached = _places(booster.predict(matrix, pred_leaf=True), flat)
    leaves, first, counts = np.unique(reached, return_index=True, return_counts=True)
    rows_of_first = first // reached.shape[1]
    covered = np.zeros(len(flat.trees.feature), np.bool_)
    chosen: list[int] = []
    for at in np.argsort(counts, kind="stable"):
        if covered[leaves[at]]:
            continue
        if len(chosen) == limit:
            break
        row = int(rows_of_first[at])
        chosen.append(row)
        covered[reached[row]] = True
    return np.array(sorted(chosen), np.int64)


def _places(leaves: npt.NDArray[np.float32], flat: FlatModel) -> npt.NDArray[np.int32]:
    """XGBoost's numbers of leaves, one column for each tree, as places in the flat arrays."""
    columns = leaves.reshape(len(leaves), -1).astype(np.int32)
    for tree, places in enumerate(flat.places):
        table = np.zeros(max(places) + 1, np.int32)
        table[list(places)] = list(places.values())
        columns[:, tree] = table[columns[:, tree]]
    return columns
