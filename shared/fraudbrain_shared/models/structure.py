"""Whether a release can be walked at all: what the kernel takes for granted, checked before it runs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Final

from fraudbrain_shared.records import ModelRelease, Trees

LEAF: Final = -1
MAX_FEATURES: Final = 512
MAX_TREES: Final = 5_000
MAX_NODES: Final = 400_000  # more do not fit in a record of the topic
MAX_GOLDEN_ROWS: Final = 20_000
FLOAT32_MAX: Final = 3.4028234663852886e38


def structural_faults(release: ModelRelease, known: Sequence[str]) -> Iterator[str]:
    """Every kind of fault in a release's arrays, each told at its first place.

    `known` are the features that there are. Where it yields nothing, every walk from a root moves
    forward through nodes that exist, reads features that exist, and ends in a leaf.
    """
    yield from _feature_faults(release, known)
    yield from _size_faults(release.trees)
    if not _same_lengths(release.trees):
        return  # the nodes cannot be told apart
    yield from _node_faults(release.trees, len(release.features))
    yield from _parent_faults(release.trees)
    yield from _number_faults(release)
    yield from _golden_faults(release)


def _feature_faults(release: ModelRelease, known: Sequence[str]) -> Iterator[str]:
    names = release.features
    if not 1 <= len(names) <= MAX_FEATURES:
        yield f"{len(names)} features; 1 to {MAX_FEATURES} are possible"
    if len(set(names)) < len(names):
        yield f"feature {Counter(names).most_common(1)[0][0]} stands there twice"
    if unknown := [name for name in names if name not in known]:
        yield f"unknown features: {', '.join(unknown[:5])}{', …' if len(unknown) > 5 else ''}"


def _size_faults(trees: Trees) -> Iterator[str]:
    if not 1 <= len(trees.roots) <= MAX_TREES:
        yield f"{len(trees.roots)} trees; 1 to {MAX_TREES} are possible"
    if not 1 <= len(trees.feature) <= MAX_NODES:
        yield f"{len(trees.feature)} nodes; 1 to {MAX_NODES} are possible"
    if not _same_lengths(trees):
        yield "the arrays of nodes differ in length"


def _same_lengths(trees: Trees) -> bool:
    arrays = (trees.feature, trees.value, trees.left, trees.right, trees.missing_left)
    return len({len(array) for array in arrays}) == 1


def _node_faults(trees: Trees, features: int) -> Iterator[str]:
    nodes = len(trees.feature)
    if any(not 0 <= root < nodes for root in trees.roots):
        yield "a root is no node"
    if any(not LEAF <= feature < features for feature in trees.feature):
        yield "a node reads a feature that the release does not have"
    children = list(zip(trees.feature, trees.left, trees.right, strict=True))
    if any(feature == LEAF and (left, right) != (LEAF, LEAF) for feature, left, right in children):
        yield "a leaf has children"
    if any(
        feature != LEAF and not (at < left < nodes and at < right < nodes)
        for at, (feature, left, right) in enumerate(children)
    ):
        yield "a child does not stand after its parent"


def _parent_faults(trees: Trees) -> Iterator[str]:
    """Each node is the root of a tree or the child of one node: so the trees are trees, and all of them are used."""
    inner = (at for at, feature in enumerate(trees.feature) if feature != LEAF)
    reached = Counter(trees.roots)
    for at in inner:
        reached[trees.left[at]] += 1
        reached[trees.right[at]] += 1
    if any(reached[at] != 1 for at in range(len(trees.feature))):
        yield "a node has no parent, or more than one"


def _number_faults(release: ModelRelease) -> Iterator[str]:
    if not all(map(_fits_float32, (release.base_margin, *release.trees.value))):
        yield "a threshold, contribution or base margin is no finite float32"
    if any(not isfinite(value) for value in (*release.starting_values.values(), *release.metrics.values())):
        yield "a starting value or metric is not finite"


def _golden_faults(release: ModelRelease) -> Iterator[str]:
    if not 1 <= len(release.golden) <= MAX_GOLDEN_ROWS:
        yield f"{len(release.golden)} golden rows; 1 to {MAX_GOLDEN_ROWS} are possible"
    if len(release.golden) != len(release.golden_scores):
        yield "golden rows and golden scores differ in number"
    if any(len(row) != len(release.features) for row in release.golden):
        yield "a golden row has not one value for each feature"
    if any(value is not None and not _fits_float32(value) for row in release.golden for value in row):
        yield "a golden row holds a value that is no finite float32"
    if any(not 0 <= score <= 1 for score in release.golden_scores):
        yield "a golden score is no probability"


def _fits_float32(value: float) -> bool:
    return -FLOAT32_MAX <= value <= FLOAT32_MAX  # false for NaN
