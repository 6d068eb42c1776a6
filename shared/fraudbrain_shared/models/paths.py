"""The ways from a tree's root to its leaves, and what a row must hold to take one."""

from collections.abc import Iterable, Iterator
from math import inf
from typing import Final, NamedTuple

import numpy as np

from fraudbrain_shared.models.structure import FLOAT32_MAX
from fraudbrain_shared.records import ModelRelease

_FLOAT32_LEAST_NORMAL: Final = float(np.finfo(np.float32).tiny)


class _Turn(NamedTuple):
    node: int
    is_left: bool


class Paths:
    """The paths of a release that was checked."""

    def __init__(self, release: ModelRelease) -> None:
        trees = release.trees
        self._release = release
        self._sets = dict(zip(trees.category_nodes, map(frozenset, trees.category_sets), strict=True))
        self._turn_to: dict[int, _Turn] = {}
        for node, feature in enumerate(trees.feature):
            if feature >= 0:
                self._turn_to[trees.left[node]] = _Turn(node, True)
                self._turn_to[trees.right[node]] = _Turn(node, False)

    def values_to(self, leaf: int) -> dict[int, float | None] | None:
        """By index of feature, values with which every row reaches a leaf; None if no row can.

        None is missing, a category stands as its code. Wherever a value and none at all would do it is a value, and
        one that stands hard by a threshold.
        """
        by_feature: dict[int, list[_Turn]] = {}
        for turn in self._turns(leaf):
            by_feature.setdefault(self._release.trees.feature[turn.node], []).append(turn)
        values: dict[int, float | None] = {}
        for feature, turns in by_feature.items():
            value = self._value(feature, turns)
            if value is None and not self._may_be_missing(turns):
                return None
            values[feature] = value
        return values

    def _turns(self, leaf: int) -> Iterator[_Turn]:
        """From the leaf up to the root."""
        turn = self._turn_to.get(leaf)
        while turn is not None:
            yield turn
            turn = self._turn_to.get(turn.node)

    def _may_be_missing(self, turns: Iterable[_Turn]) -> bool:
        return all(self._release.trees.missing_left[turn.node] == turn.is_left for turn in turns)

    def _value(self, feature: int, turns: list[_Turn]) -> float | None:
        name = self._release.features[feature]
        if name in self._release.categories:
            return self._code(len(self._release.categories[name]), turns)
        thresholds = self._release.trees.value
        low = max((float(np.float32(thresholds[turn.node])) for turn in turns if not turn.is_left), default=-inf)
        high = min((float(np.float32(thresholds[turn.node])) for turn in turns if turn.is_left), default=inf)
        if low > -inf:
            return low if low < high else None
        if high == -FLOAT32_MAX:
            return None  # no number is below it
        below = float(np.nextafter(np.float32(high), np.float32(-inf)))
        if abs(below) < _FLOAT32_LEAST_NORMAL <= abs(high) or high == 0:
            below = -_FLOAT32_LEAST_NORMAL
        return below

    def _code(self, categories: int, turns: Iterable[_Turn]) -> float | None:
        for code in range(categories):
            if all((code in self._sets[turn.node]) != turn.is_left for turn in turns):
                return float(code)
        return None
