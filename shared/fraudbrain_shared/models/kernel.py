"""The machine code that walks trees: compiled by numba, in float32 as XGBoost itself adds and compares.

It trusts its arrays: `structure.structural_faults` has seen to it that no index leaves them and no walk
goes in a circle, and `forest.Forest` has laid them out. Importing numba takes a second and compiling several
more, so `forest` imports this late.

All trees are walked at once, a level at a time, and no step branches: the processor works on many trees'
steps together, where a walk tree by tree would wait for each step and guess each turn wrong half of the time.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from numba.extending import register_jitable

# A node whole in 16 bytes, siblings side by side: a step of the walk reads one cache line. It goes to `left`, or
# to the sibling after it where the row's entry at `place` reaches `value`; a leaf leads to itself. `members` is
# where the words of a category node's set begin, −1 at all others. Indices have no sign: numba need not ask
# whether they count from the end.
NODE: Final = np.dtype([("value", np.float32), ("place", np.uint32), ("left", np.uint32), ("members", np.int32)])
Indices = Sequence[int] | npt.NDArray[np.integer[Any]]
_WORD_SHIFT: Final = np.uint32(5)
_WORD_MASK: Final = np.uint32(31)


class Kernels(NamedTuple):
    """Each takes first a forest's own arrays, `(nodes, plan)`, then float64 rows, in which NaN is missing and a
    category stands as a code that the release has. Two arrays, because numba takes its time to receive one.

    `score(*forest, row)` is the probability of fraud. `examine(*forest, rows, scores, leaves)` fills in the
    scores of many rows, and the leaf that each reaches in each tree if `leaves` has a column for each.
    `attribute(*forest, means, row, contributions)` adds to each feature's contribution what its splits change
    in the expected margin, and returns the margin.
    """

    score: Callable[..., float]
    examine: Callable[..., None]
    attribute: Callable[..., float]


def plan_of(widths: Indices, order: Indices, members: Indices, base_margin: float) -> npt.NDArray[np.uint32]:
    """What a kernel needs beside the nodes: `widths` says for each level how many trees go on there, `order` in which
    order the leaves are added to the base margin, `members` are the words of the category nodes' sets."""
    head = np.array([len(widths), len(order)], np.uint32)
    margin = np.array([base_margin], np.float32).view(np.uint32)
    return np.concatenate([head, margin, *(np.asarray(each, np.uint32) for each in (widths, order, members))])


@cache
def kernels() -> Kernels:
    """The kernels, compiled and tried.

    What an earlier process compiled is loaded from beside this file or from the user's cache, which saves
    most of the time. Where neither can be written numba raises, and where a file there was cut short by a
    crash it raises as well, something else each time: then they are compiled for this process alone.
    """
    try:
        return _tried(cached=True)
    except Exception:
        return _tried(cached=False)


def _tried(*, cached: bool) -> Kernels:
    made = Kernels(*(numba.njit(source, cache=cached) for source in INTERPRETED))
    forest = np.array([(0, 2, 0, -1)], NODE), plan_of([], [0], [], 0.0)
    row = np.zeros(1)
    made.score(*forest, row)
    made.examine(*forest, row.reshape(1, 1), np.zeros(1, np.float32), np.zeros((1, 1), np.uint32))
    made.attribute(*forest, np.zeros(1), row, np.zeros(1))
    return made._replace(score=_entry_point(made.score))


def _entry_point(dispatcher: Any) -> Any:
    """The machine code of the only types it was called with: choosing among several takes as long as 60 trees."""
    (signature,) = dispatcher.signatures
    return dispatcher.overloads[signature].entry_point


@register_jitable
def _parts(plan: Any) -> Any:
    """Widths, order, members and base margin."""
    order_at = 3 + plan[0]
    members_at = order_at + plan[1]
    return plan[3:order_at], plan[order_at:members_at], plan[members_at:], plan[2:3].view(np.float32)[0]


@register_jitable
def _entries(row: Any) -> Any:
    """What the nodes compare with: two entries for each value, which differ where it is missing, and one for leaves.

    A missing value is below every threshold at a node where missing goes left, which looks at the first of the
    two, and above it at the others. Infinities, which XGBoost refuses in training, are missing.
    """
    entries = np.empty(2 * row.size + 1, np.float32)
    for place in range(row.size):
        value = np.float32(row[place])
        is_there = math.isfinite(value)
        entries[2 * place] = value if is_there else -np.float32(np.inf)
        entries[2 * place + 1] = value if is_there else np.float32(np.inf)
    entries[2 * row.size] = -np.float32(np.inf)
    return entries


@register_jitable
def _turn(entry: Any, node: Any, members: Any) -> Any:
    """1 where the walk goes right, else 0, at a node of either kind."""
    if node["members"] < 0 or math.isinf(entry):
        return np.uint32(entry >= node["value"])
    code = np.uint32(entry)
    return (members[np.uint32(node["members"]) + (code >> _WORD_SHIFT)] >> (code & _WORD_MASK)) & np.uint32(1)


@register_jitable
def _walk(nodes: Any, members: Any, widths: Any, trees: Any, row: Any) -> Any:
    """The leaf that a row reaches in each tree, the deepest tree first: the first nodes are the roots in that order.

    `widths` says for each level how many trees go on there.
    """
    entries = _entries(row)
    at = np.empty(trees, np.uint32)
    for tree in range(trees):
        at[tree] = tree
    if members.size == 0:
        for width in widths:
            for tree in range(width):
                node = nodes[at[tree]]
                at[tree] = node["left"] + np.uint32(entries[node["place"]] >= node["value"])
    else:
        for width in widths:
            for tree in range(width):
                node = nodes[at[tree]]
                at[tree] = node["left"] + _turn(entries[node["place"]], node, members)
    return at


@register_jitable
def _margin(nodes: Any, order: Any, base_margin: Any, leaves: Any) -> Any:
    """The sum of the contributions in the order of the trees, as XGBoost adds them."""
    margin = base_margin
    for place in order:
        margin += nodes[leaves[place]]["value"]
    return margin


@register_jitable
def _probability(margin: Any) -> Any:
    """The logistic function as XGBoost computes it; from 88.7 on its exponential would overflow."""
    return np.float32(1) / (np.float32(1) + math.exp(min(-margin, np.float32(88.7))))


def _score(nodes: Any, plan: Any, row: Any) -> Any:
    widths, order, members, base_margin = _parts(plan)
    return _probability(_margin(nodes, order, base_margin, _walk(nodes, members, widths, order.size, row)))


def _examine(nodes: Any, plan: Any, rows: Any, scores: Any, leaves: Any) -> None:
    widths, order, members, base_margin = _parts(plan)
    for at in range(len(rows)):
        reached = _walk(nodes, members, widths, order.size, rows[at])
        scores[at] = _probability(_margin(nodes, order, base_margin, reached))
        if leaves.shape[1] == order.size:
            for tree in range(order.size):
                leaves[at, tree] = reached[order[tree]]


def _attribute(nodes: Any, plan: Any, means: Any, row: Any, contributions: Any) -> Any:
    _, order, members, margin = _parts(plan)
    entries = _entries(row)
    for at in order:  # the place of a tree is that of its root
        node = nodes[at]
        while node["left"] != at:
            child = node["left"] + _turn(entries[node["place"]], node, members)
            contributions[node["place"] >> np.uint32(1)] += means[child] - means[at]
            at, node = child, nodes[child]
        margin += node["value"]
    return margin


INTERPRETED: Final = Kernels(_score, _examine, _attribute)
"""The same, run by Python: a thousand times slower, but numpy checks every index. For tests."""
