"""A release scored slowly and plainly, as its record says: the judge of the kernel where there is no booster."""

from collections.abc import Sequence
from math import exp

import numpy as np

from fraudbrain_shared.models import Value
from fraudbrain_shared.records import ModelRelease


def score(release: ModelRelease, row: Sequence[Value]) -> float:
    """The score of a row of the release's features."""
    margin = np.float32(release.base_margin)
    for root in release.trees.roots:
        margin += np.float32(release.trees.value[leaf(release, root, row)])
    return float(1 / (1 + exp(-min(max(float(margin), -80), 80))))


def leaf(release: ModelRelease, root: int, row: Sequence[Value]) -> int:
    trees = release.trees
    sets = dict(zip(trees.category_nodes, trees.category_sets, strict=True))
    at = root
    while (feature := trees.feature[at]) >= 0:
        value = _number(release, feature, row[feature])
        if np.isnan(value):
            goes_left = trees.missing_left[at]
        elif at in sets:
            goes_left = int(value) not in sets[at]
        else:
            goes_left = bool(value < np.float32(trees.value[at]))
        at = trees.left[at] if goes_left else trees.right[at]
    return at


def _number(release: ModelRelease, feature: int, value: Value) -> np.float32:
    """The value in float32, or the code of a category; NaN where it is missing."""
    values = release.categories.get(release.features[feature])
    if values is not None:
        return np.float32(values.index(value) if value in values else np.nan)
    if not isinstance(value, float | int) or not abs(value) <= np.finfo(np.float32).max:
        return np.float32(np.nan)
    return np.float32(value)
