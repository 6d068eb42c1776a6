"""Releases with something changed: a byte, or a part of what they say with the hash made anew."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from fraudbrain_shared.models import ReleaseError, Scorer, load_scorer, seal
from fraudbrain_shared.models.kernel import INTERPRETED
from fraudbrain_shared.models.release import SCORE_TOLERANCE
from fraudbrain_shared.records import ModelRelease

Chance = np.random.Generator
T = TypeVar("T")


def mutated_byte(record: bytes, chance: Chance) -> bytes:
    """The record with one byte changed, removed or added."""
    at, byte = int(chance.integers(len(record))), bytes([int(chance.integers(256))])
    match chance.integers(3):
        case 0:
            changed = record[:at] + byte + record[at + 1 :]
        case 1:
            changed = record[:at] + record[at + 1 :]
        case _:
            changed = record[:at] + byte + record[at:]
    return changed if changed != record else mutated_byte(record, chance)


def accepted(release: ModelRelease, kind: str, known: Sequence[str], chance: Chance) -> bool:
    """Whether the release, changed in one way of this kind, is accepted.

    Fails if it is although a golden row of the unchanged one scores otherwise with it, or if any row makes the
    kernel leave its arrays.
    """
    while (changed := KINDS[kind](release, chance)) == release:
        pass  # by chance it was put back to what it was
    try:
        scorer = load_scorer(seal(changed), known)
    except ReleaseError:
        return False
    for row, expected in zip(release.golden, release.golden_scores, strict=True):
        assert abs(scorer.score(scorer.spread(row)) - expected) <= SCORE_TOLERANCE, kind
    _stay_within_bounds(scorer, len(known), chance)
    return True


def _stay_within_bounds(scorer: Scorer, width: int, chance: Chance) -> None:
    """Scores rows as they never were, by the kernel as Python runs it, which raises where an index leaves its array."""
    shape = (5, width)
    rows = chance.normal(size=shape) * 10.0 ** chance.integers(-40, 300, shape)
    rows[chance.random(shape) < 0.3] = np.nan
    rows[chance.random(shape) < 0.1] = np.inf
    rows = np.where(chance.random(shape) < 0.5, chance.integers(-3, 100, shape), rows)
    compiled = scorer.scores(rows)
    known = scorer._known_codes(rows)
    with np.errstate(over="ignore"):
        checked = [INTERPRETED.score(*scorer._forest._arrays, row) for row in known]
    assert np.abs(compiled - checked).max() <= SCORE_TOLERANCE


def _one_of(values: Sequence[T], chance: Chance) -> T:
    return values[int(chance.integers(len(values)))]


def _put(values: Sequence[Any], at: int, value: Any) -> tuple[Any, ...]:
    return (*values[:at], value, *values[at + 1 :])


def _with_trees(release: ModelRelease, **changes: Any) -> ModelRelease:
    return msgspec.structs.replace(release, trees=msgspec.structs.replace(release.trees, **changes))


def _node(release: ModelRelease, chance: Chance, *, is_leaf: bool) -> int:
    return int(chance.choice([at for at, feature in enumerate(release.trees.feature) if (feature < 0) == is_leaf]))


def _number_near_or_far(number: float, chance: Chance) -> float:
    if chance.random() < 0.3:
        return float(chance.choice([float("nan"), float("inf"), -float("inf"), 1e39, 0.0, -number]))
    return float(number + chance.normal() * 10.0 ** float(chance.integers(-6, 38)))


def children_swapped(release: ModelRelease, chance: Chance) -> ModelRelease:
    trees, at = release.trees, _node(release, chance, is_leaf=False)
    return _with_trees(release, left=_put(trees.left, at, trees.right[at]), right=_put(trees.right, at, trees.left[at]))


def child_elsewhere(release: ModelRelease, chance: Chance) -> ModelRelease:
    """A cycle, a child of two parents, or an index that there is not."""
    at, nodes = _node(release, chance, is_leaf=chance.random() < 0.2), len(release.trees.feature)
    indices = [at, 0, -1, -2, at + 1, nodes, nodes - 1, 2**31, 2**40, -(2**63), int(chance.integers(nodes))]
    name = str(chance.choice(["left", "right"]))
    return _with_trees(release, **{name: _put(getattr(release.trees, name), at, _one_of(indices, chance))})


def root_elsewhere(release: ModelRelease, chance: Chance) -> ModelRelease:
    roots = release.trees.roots
    at, nodes = int(chance.integers(len(roots))), len(release.trees.feature)
    return _with_trees(release, roots=_put(roots, at, _one_of([-1, nodes, 2**40, int(chance.integers(nodes))], chance)))


def trees_in_another_order(release: ModelRelease, chance: Chance) -> ModelRelease:
    return _with_trees(release, roots=tuple(chance.permutation(release.trees.roots).tolist()))


def tree_left_out(release: ModelRelease, chance: Chance) -> ModelRelease:
    """Its nodes as well, so that what is left holds together."""
    trees = release.trees
    gone = int(chance.integers(len(trees.roots)))
    first = trees.roots[gone]
    end = trees.roots[gone + 1] if gone + 1 < len(trees.roots) else len(trees.feature)
    size = end - first

    def rest(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values[:first] + values[end:]

    def moved(values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(value - size if value >= end else value for value in values)

    kept = [at for at, node in enumerate(trees.category_nodes) if not first <= node < end]
    return _with_trees(
        release,
        roots=moved(_put(trees.roots, gone, -1))[:gone] + moved(trees.roots[gone + 1 :]),
        **{name: rest(getattr(trees, name)) for name in ("feature", "value", "missing_left", "cover")},
        left=moved(rest(trees.left)),
        right=moved(rest(trees.right)),
        category_nodes=moved(tuple(trees.category_nodes[at] for at in kept)),
        category_sets=tuple(trees.category_sets[at] for at in kept),
    )


def array_cut_short(release: ModelRelease, chance: Chance) -> ModelRelease:
    name = str(chance.choice([each for each in release.trees.__struct_fields__ if getattr(release.trees, each)]))
    return _with_trees(release, **{name: getattr(release.trees, name)[:-1]})


def leaf_changed(release: ModelRelease, chance: Chance) -> ModelRelease:
    values, at = release.trees.value, _node(release, chance, is_leaf=True)
    return _with_trees(release, value=_put(values, at, _number_near_or_far(values[at], chance)))


def threshold_changed(release: ModelRelease, chance: Chance) -> ModelRelease:
    values, at = release.trees.value, _node(release, chance, is_leaf=False)
    return _with_trees(release, value=_put(values, at, _number_near_or_far(values[at], chance)))


def default_turned(release: ModelRelease, chance: Chance) -> ModelRelease:
    at = _node(release, chance, is_leaf=chance.random() < 0.1)
    return _with_trees(release, missing_left=_put(release.trees.missing_left, at, not release.trees.missing_left[at]))


def node_asks_another_feature(release: ModelRelease, chance: Chance) -> ModelRelease:
    features = [-1, -2, len(release.features), 2**31, 2**62, int(chance.integers(len(release.features)))]
    at = _node(release, chance, is_leaf=chance.random() < 0.2)
    return _with_trees(release, feature=_put(release.trees.feature, at, _one_of(features, chance)))


def category_moved(release: ModelRelease, chance: Chance) -> ModelRelease:
    """One code more or less goes right, or one that there is not, or out of order."""
    sets = release.trees.category_sets
    at = int(chance.integers(len(sets)))
    code = _one_of([-1, 0, 1, int(chance.integers(64)), 2**20, 2**40], chance)
    changed = sorted({*sets[at]} ^ {code})
    if chance.random() < 0.2:
        changed.reverse()
    return _with_trees(release, category_sets=_put(sets, at, tuple(changed)))


def category_node_elsewhere(release: ModelRelease, chance: Chance) -> ModelRelease:
    nodes = release.trees.category_nodes
    at = int(chance.integers(len(nodes)))
    there = len(release.trees.feature)
    new = _one_of([-1, there, 2**40, int(chance.integers(there))], chance)
    return _with_trees(release, category_nodes=_put(nodes, at, new))


def categories_otherwise(release: ModelRelease, chance: Chance) -> ModelRelease:
    name = str(chance.choice(list(release.categories)))
    values = list(release.categories[name])
    match chance.integers(4):
        case 0:
            chance.shuffle(values)
        case 1:
            values.pop(int(chance.integers(len(values))))
        case 2:
            values[int(chance.integers(len(values)))] = "another"
        case _:
            values.append(values[0])
    return msgspec.structs.replace(release, categories=release.categories | {name: tuple(values)})


def categories_left_out(release: ModelRelease, chance: Chance) -> ModelRelease:
    name = str(chance.choice(list(release.categories)))
    return msgspec.structs.replace(release, categories={k: v for k, v in release.categories.items() if k != name})


def feature_renamed(release: ModelRelease, chance: Chance) -> ModelRelease:
    at = int(chance.integers(len(release.features)))
    new = str(chance.choice(["unheard_of", "unused", *release.features]))
    old = release.features[at]

    def renamed(by_name: dict[str, Any]) -> dict[str, Any]:
        return {new if name == old else name: value for name, value in by_name.items()}

    return msgspec.structs.replace(
        release,
        features=_put(release.features, at, new),
        categories=renamed(release.categories),
        histograms=renamed(release.histograms),
    )


def features_in_another_order(release: ModelRelease, chance: Chance) -> ModelRelease:
    return msgspec.structs.replace(release, features=tuple(chance.permutation(release.features).tolist()))


def base_margin_changed(release: ModelRelease, chance: Chance) -> ModelRelease:
    return msgspec.structs.replace(release, base_margin=_number_near_or_far(release.base_margin, chance))


def golden_row_changed(release: ModelRelease, chance: Chance) -> ModelRelease:
    row, at = int(chance.integers(len(release.golden))), int(chance.integers(len(release.features)))
    new = _one_of([None, "text", 0.0, 1e300, -1.0], chance)
    return msgspec.structs.replace(release, golden=_put(release.golden, row, _put(release.golden[row], at, new)))


def golden_score_changed(release: ModelRelease, chance: Chance) -> ModelRelease:
    at = int(chance.integers(len(release.golden)))
    new = _number_near_or_far(release.golden_scores[at], chance)
    return msgspec.structs.replace(release, golden_scores=_put(release.golden_scores, at, new))


def golden_rows_left_out(release: ModelRelease, chance: Chance) -> ModelRelease:
    kept = int(chance.integers(len(release.golden)))
    return msgspec.structs.replace(release, golden=release.golden[:kept], golden_scores=release.golden_scores[:kept])


def histogram_broken(release: ModelRelease, chance: Chance) -> ModelRelease:
    name = str(chance.choice(list(release.histograms)))
    old = release.histograms[name]
    changes: list[dict[str, Any]] = [{"counts": old.counts[:-1]}, {"edges": (*old.edges, 0.0)}, {"missing": -1}]
    new = msgspec.structs.replace(old, **_one_of(changes, chance))
    return msgspec.structs.replace(release, histograms=release.histograms | {name: new})


def of_another_format(release: ModelRelease, chance: Chance) -> ModelRelease:
    return msgspec.structs.replace(release, format=int(chance.choice([-1, 0, 3, 99])))


KINDS: Final[dict[str, Callable[[ModelRelease, Chance], ModelRelease]]] = {
    mutation.__name__: mutation
    for mutation in (
        children_swapped,
        child_elsewhere,
        root_elsewhere,
        trees_in_another_order,
        tree_left_out,
        array_cut_short,
        leaf_changed,
        threshold_changed,
        default_turned,
        node_asks_another_feature,
        category_moved,
        category_node_elsewhere,
        categories_otherwise,
        categories_left_out,
        feature_renamed,
        features_in_another_order,
        base_margin_changed,
        golden_row_changed,
        golden_score_changed,
        golden_rows_left_out,
        histogram_broken,
        of_another_format,
    )
}
