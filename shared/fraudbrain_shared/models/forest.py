"""A model's trees in the arrays that the kernel walks."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, chain
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from fraudbrain_shared.records import ModelRelease, Trees

Row: TypeAlias = npt.NDArray[np.float64]
"""Values in the order of a forest's columns; NaN is missing, a category stands as its code."""

Rows: TypeAlias = npt.NDArray[np.float64]
"""Such rows one below the other."""

_Indices: TypeAlias = npt.NDArray[np.int64]
_WORD_BITS: Final = 32


class Layout(NamedTuple):
    """The trees of a release as the kernel walks them, checked before: arrays that another process may have made.

    `nodes` and `plan` are what the kernel takes. Node i of the release stands at `places[i]`; `means` are, by
    place, the mean contributions of the training data that reached a node, in log-odds.
    """

    width: int
    nodes: npt.NDArray[Any]
    plan: npt.NDArray[np.uint32]
    places: _Indices
    means: npt.NDArray[np.float64]

    @property
    def trees(self) -> int:
        """How many."""
        return int(self.plan[1])


class Forest:
    """Trees that were laid out, ready to be walked, over rows as wide as their layout says.

    What float32 cannot hold is missing. A code that the release does not have must not stand in a row.
    """

    def __init__(self, layout: Layout) -> None:
        from fraudbrain_shared.models import kernel  # late, since it takes a second

        self.layout: Final = layout
        self._arrays = layout.nodes, layout.plan
        self._kernels = kernel.kernels()
        self.score: Final[Callable[[Row], float]] = partial(self._kernels.score, *self._arrays)
        """The probability that the event of a row as wide as there are columns is a fraud."""

    def scores(self, rows: Rows) -> npt.NDArray[np.float32]:
        """The probabilities of many rows, the same as one by one."""
        return self._examine(rows, np.empty((len(rows), 0), np.uint32))

    def leaves(self, rows: Rows) -> _Indices:
        """The leaf that each row reaches in each tree, as an index into the release's nodes: rows × trees."""
        leaves = np.empty((len(rows), self.layout.trees), np.uint32)
        self._examine(rows, leaves)
        return np.argsort(self.layout.places)[leaves]

    def attribute(self, row: Row) -> tuple[float, npt.NDArray[np.float64]]:
        """The margin in log-odds, and by column what the splits on it changed on the way there."""
        contributions = np.zeros(self.layout.width)
        return self._kernels.attribute(*self._arrays, self.layout.means, row, contributions), contributions

    def _examine(self, rows: Rows, leaves: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
        if rows.ndim != 2 or rows.shape[1] != self.layout.width:
            raise ValueError(f"rows of {self.layout.width} values are scored; these are {rows.shape}")
        scores = np.empty(len(rows), np.float32)
        self._kernels.examine(*self._arrays, np.ascontiguousarray(rows, np.float64), scores, leaves)
        return scores


def lay_out(release: ModelRelease, columns: Sequence[str]) -> Layout:
    """The trees of a release that was checked; `columns` names what stands in the rows, in order."""
    from fraudbrain_shared.models.kernel import NODE, plan_of

    trees = release.trees
    feature, left, right = (np.array(each, np.int64) for each in (trees.feature, trees.left, trees.right))
    roots, inner = np.array(trees.roots, np.int64), feature >= 0
    depths = _depths(feature, left, right, roots)
    rank = np.argsort(np.argsort(-depths, kind="stable"))
    places = _places(roots, left, right, inner, rank)
    column = np.array([columns.index(name) for name in release.features], np.int64)[feature]
    words, begins = _members(release)
    category_nodes = np.array(trees.category_nodes, np.int64)

    nodes = np.empty(len(feature), NODE)
    nodes["value"][places] = trees.value
    nodes["place"][places] = np.where(inner, 2 * column + ~np.array(trees.missing_left, np.bool_), 2 * len(columns))
    nodes["left"][places] = np.where(inner, places[left], places)
    nodes["members"] = -1
    nodes["members"][places[category_nodes]] = begins
    nodes["value"][places[category_nodes]] = 0  # between what stands for a missing value on either side
    widths = np.array([(depths > level).sum() for level in range(depths.max())], np.int64)
    means = np.empty(len(feature))
    means[places] = _means(trees)
    return Layout(len(columns), nodes, plan_of(widths, rank, words, release.base_margin), places, means)


def _means(trees: Trees) -> list[float]:
    """By node of the release. Where it does not say how much reached a node, both children count alike."""
    covers = trees.cover or (1.0,) * len(trees.feature)
    means: list[float] = np.array(trees.value, np.float32).astype(np.float64).tolist()
    for at in reversed(range(len(means))):  # children stand after their parents
        if trees.feature[at] >= 0:
            left, right = trees.left[at], trees.right[at]
            both = covers[left] + covers[right]
            share = covers[left] / both if both > 0 else 0.5
            means[at] = share * means[left] + (1 - share) * means[right]
    return means


def _depths(feature: _Indices, left: _Indices, right: _Indices, roots: _Indices) -> _Indices:
    """The depth of each tree: 0 for a leaf alone."""
    depths = np.zeros(len(roots), np.int64)
    nodes, owners, level = roots, np.arange(len(roots)), 0
    while (inner := feature[nodes] >= 0).any():
        nodes, owners, level = nodes[inner], owners[inner], level + 1
        depths[owners] = level
        nodes, owners = np.concatenate((left[nodes], right[nodes])), np.concatenate((owners, owners))
    return depths


def _places(roots: _Indices, left: _Indices, right: _Indices, inner: npt.NDArray[np.bool_], rank: _Indices) -> _Indices:
    """Where the kernel has each node of the release: first the roots by rank, then pairs of siblings."""
    places = np.empty(len(left), np.int64)
    places[roots] = rank
    pairs = len(roots) + 2 * np.arange(inner.sum())
    places[left[inner]] = pairs
    places[right[inner]] = pairs + 1
    return places


def _members(release: ModelRelease) -> tuple[npt.NDArray[np.uint32], list[int]]:
    """The sets of the category nodes as bits in words, one after the other, and where each of them begins."""
    trees = release.trees
    sizes = [words_of(len(release.categories[release.features[trees.feature[node]]])) for node in trees.category_nodes]
    begins = [0, *accumulate(sizes)]
    words = np.zeros(begins.pop(), np.uint32)
    codes = np.fromiter(chain.from_iterable(trees.category_sets), np.int64)
    first = np.repeat(np.array(begins, np.int64), [len(each) for each in trees.category_sets])
    bits = np.uint32(1) << (codes % _WORD_BITS).astype(np.uint32)
    np.bitwise_or.at(words, first + codes // _WORD_BITS, bits)
    return words, begins


def words_of(categories: int) -> int:
    """How many words the set of a node takes up, of a feature with so many categories."""
    return -(-categories // _WORD_BITS)


def warm_up() -> None:
    """Loads or compiles the kernel: one to three seconds that no event should wait for."""
    from fraudbrain_shared.models import kernel

    kernel.kernels()
