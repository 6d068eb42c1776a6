"""Whether a release can be walked at all: what the kernel takes for granted, checked before it runs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Final

import numpy as np

from fraudbrain_shared.models.forest import words_of
from fraudbrain_shared.records import Histogram, ModelRelease, Trees
from fraudbrain_shared.scenario.description import Parameter

LEAF: Final = -1
MAX_FEATURES: Final = 512
MAX_TREES: Final = 5_000
MAX_NODES: Final = 400_000  # more do not fit in a record of the topic
MAX_DEPTH: Final = 256  # a level costs the same however few trees go on there
MAX_CATEGORIES: Final = 65_536
MAX_CATEGORY_WORDS: Final = 4_000_000  # 16 MB for the sets of all nodes, which a small record could make large
MAX_GOLDEN_ROWS: Final = 20_000
FLOAT32_MAX: Final = float(np.finfo(np.float32).max)


def structural_faults(
    release: ModelRelease, known: Sequence[str], parameters: Mapping[str, Parameter] | None = None
) -> Iterator[str]:
    """Every kind of fault in a release's arrays.

    `known` are the features that decisions log, `parameters` those of the scenario if its bounds are to be
    kept. Where it yields nothing, every walk from a root moves forward through nodes that exist, reads
    features and codes of categories that exist, and ends in a leaf.
    """
    yield from _feature_faults(release, known)
    yield from _tree_faults(release)
    yield from _number_faults(release)
    yield from _golden_faults(release)
    yield from _histogram_faults(release)
    yield from _starting_faults(release, parameters or {})


def _feature_faults(release: ModelRelease, known: Sequence[str]) -> Iterator[str]:
    names = release.features
    if not 1 <= len(names) <= MAX_FEATURES:
        yield f"{len(names)} features; 1 to {MAX_FEATURES} are possible"
    if len(set(names)) < len(names):
        yield f"feature {Counter(names).most_common(1)[0][0]} stands there twice"
    if unknown := [name for name in names if name not in known]:
        yield f"unknown features: {_some(unknown)}"
    if ambiguous := [name for name in names if known.count(name) > 1]:
        yield f"features that decisions log under one name with others: {_some(ambiguous)}"


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(names[:5])}{', …' if len(names) > 5 else ''}"


def _tree_faults(release: ModelRelease) -> Iterator[str]:
    """Faults of the trees; each kind is looked for only where those before it leave something to look at."""
    trees = release.trees
    if faults := list(_size_faults(trees)):
        yield from faults
        return
    try:
        nodes = _Nodes(trees)
    except OverflowError:
        yield "an index is larger than any index can be"
        return
    faults = [*_node_faults(nodes, len(release.features)), *_parent_faults(nodes)]
    yield from faults
    if not faults:
        yield from _depth_faults(nodes)
        yield from _category_faults(release)


def _size_faults(trees: Trees) -> Iterator[str]:
    if not 1 <= len(trees.roots) <= MAX_TREES:
        yield f"{len(trees.roots)} trees; 1 to {MAX_TREES} are possible"
    if not 1 <= len(trees.feature) <= MAX_NODES:
        yield f"{len(trees.feature)} nodes; 1 to {MAX_NODES} are possible"
    arrays = (trees.feature, trees.value, trees.left, trees.right, trees.missing_left, trees.cover or trees.feature)
    if len(set(map(len, arrays))) > 1:
        yield "the arrays of nodes differ in length"


class _Nodes:
    """The arrays of all nodes, and what the inner ones lead to."""

    def __init__(self, trees: Trees) -> None:
        self.roots, self.feature, self.left, self.right = (
            np.array(each, np.int64) for each in (trees.roots, trees.feature, trees.left, trees.right)
        )
        self.inner = np.flatnonzero(self.feature != LEAF)
        self.children = np.concatenate((self.left[self.inner], self.right[self.inner]))

    def __len__(self) -> int:
        return len(self.feature)


def _node_faults(nodes: _Nodes, features: int) -> Iterator[str]:
    if ((nodes.roots < 0) | (nodes.roots >= len(nodes))).any():
        yield "a root is no node"
    if ((nodes.feature < LEAF) | (nodes.feature >= features)).any():
        yield "a node reads a feature that the release does not have"
    if ((nodes.feature == LEAF) & ((nodes.left != LEAF) | (nodes.right != LEAF))).any():
        yield "a leaf has children"
    if ((nodes.children <= np.tile(nodes.inner, 2)) | (nodes.children >= len(nodes))).any():
        yield "a child does not stand after its parent"


def _parent_faults(nodes: _Nodes) -> Iterator[str]:
    """Each node is the root of a tree or the child of one node: so the trees are trees, and all of them are used."""
    reached = np.sort(np.concatenate((nodes.roots, nodes.children)))
    if not np.array_equal(reached, np.arange(len(nodes))):
        yield "a node has no parent, or more than one"


def _depth_faults(nodes: _Nodes) -> Iterator[str]:
    level, depth = nodes.roots, 0
    while len(level := level[nodes.feature[level] != LEAF]):
        if depth == MAX_DEPTH:
            yield f"a tree is more than {MAX_DEPTH} levels deep"
            return
        level, depth = np.concatenate((nodes.left[level], nodes.right[level])), depth + 1


def _category_faults(release: ModelRelease) -> Iterator[str]:
    trees, categories = release.trees, release.categories
    if others := [name for name in categories if name not in release.features]:
        yield f"categories of features that the release does not have: {_some(others)}"
    for name, values in categories.items():
        if not 1 <= len(values) <= MAX_CATEGORIES:
            yield f"{name} has {len(values)} categories; 1 to {MAX_CATEGORIES} are possible"
        if len(set(values)) < len(values):
            yield f"a category of {name} stands there twice"
    if len(trees.category_nodes) != len(trees.category_sets):
        yield "category nodes and their sets differ in number"
        return
    with_categories = {at for at, name in enumerate(release.features) if name in categories}
    asking = {at for at, feature in enumerate(trees.feature) if feature in with_categories}
    if not _ascends(trees.category_nodes) or set(trees.category_nodes) != asking:
        yield "the category nodes are not those that read a feature with categories, in order"
        return
    sizes = [len(categories[release.features[trees.feature[node]]]) for node in trees.category_nodes]
    if any(
        not _ascends(codes) or (codes and not 0 <= codes[0] <= codes[-1] < size)
        for codes, size in zip(trees.category_sets, sizes, strict=True)
    ):
        yield "the set of a category node holds a code that its feature does not have, or is not in order"
    if sum(map(words_of, sizes)) > MAX_CATEGORY_WORDS:
        yield "the sets of the category nodes take up too much memory"


def _ascends(values: Sequence[float]) -> bool:
    return all(one < other for one, other in pairwise(values))


def _number_faults(release: ModelRelease) -> Iterator[str]:
    numbers = np.array((release.base_margin, *release.trees.value), np.float64)
    if not (np.abs(numbers) <= FLOAT32_MAX).all():  # false for NaN
        yield "a threshold, contribution or base margin is no finite float32"
    covers = np.array(release.trees.cover, np.float64)
    if not ((covers >= 0) & (covers <= FLOAT32_MAX)).all():
        yield "a cover is below 0 or not finite"
    if not all(map(isfinite, release.metrics.values())):
        yield "a metric is not finite"


def _golden_faults(release: ModelRelease) -> Iterator[str]:
    if not 1 <= len(release.golden) <= MAX_GOLDEN_ROWS:
        yield f"{len(release.golden)} golden rows; 1 to {MAX_GOLDEN_ROWS} are possible"
    if len(release.golden) != len(release.golden_scores):
        yield "golden rows and golden scores differ in number"
    if any(not 0 <= score <= 1 for score in release.golden_scores):
        yield "a golden score is no probability"
    if set(map(len, release.golden)) - {len(release.features)}:
        yield "a golden row has not one value for each feature"
        return
    for name, values in zip(release.features, zip(*release.golden, strict=True), strict=False):
        if name not in release.categories and not set(map(type, values)) <= {float, type(None)}:
            yield f"a golden row holds a text as its {name}, which is a number"


def _histogram_faults(release: ModelRelease) -> Iterator[str]:
    histograms = dict(release.histograms)
    if others := [name for name in histograms if name not in release.features]:
        yield f"histograms of features that the release does not have: {_some(others)}"
    if release.format > 1 and (without := [name for name in release.features if name not in histograms]):
        yield f"features without a histogram: {_some(without)}"
    if release.format > 1 and release.score_histogram is None:
        yield "there is no histogram of the score"
    if release.score_histogram is not None:
        histograms["the score"] = release.score_histogram
    if broken := [name for name, histogram in histograms.items() if not _is_histogram(histogram)]:
        yield f"histograms whose edges or counts do not fit together: {_some(broken)}"


def _is_histogram(histogram: Histogram) -> bool:
    return (
        len(histogram.counts) == len(histogram.edges) + 1
        and all(map(isfinite, histogram.edges))
        and _ascends(histogram.edges)
        and min(*histogram.counts, histogram.missing) >= 0
        and sum(histogram.counts) + histogram.missing > 0
    )


def _starting_faults(release: ModelRelease, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    for name, value in release.starting_values.items():
        parameter = parameters.get(name)
        if not isfinite(value):
            yield f"the starting value of {name} is not finite"
        elif parameter is not None and not parameter.low <= value <= parameter.high:
            yield f"the starting value {value} of {name} is outside of {parameter.low} to {parameter.high}"
