"""The machine code that walks trees: compiled by numba, in float32 as XGBoost itself adds and compares.

It trusts its arrays: `structure.structural_faults` has seen to it that no index leaves them and no walk
goes in a circle. Importing numba takes a second and compiling two more, so `forest` imports this late.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import numba
import numpy as np
from numba.extending import register_jitable

# A node whole in 20 bytes: a step of the walk reads one cache line. `missing` is the child for a missing value.
NODE: Final = np.dtype(
    [("value", np.float32), ("feature", np.int32), ("left", np.int32), ("right", np.int32), ("missing", np.int32)]
)


class Kernels(NamedTuple):
    """`score(row, nodes, roots, base_margin)` gives the probability of fraud, `visit(row, nodes, roots, marks)`
    marks the leaves that a row reaches. Rows are float64, NaN is missing."""

    score: Callable[..., float]
    visit: Callable[..., None]


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
    made = Kernels(numba.njit(_score, cache=cached), numba.njit(_visit, cache=cached))
    row, leaf, roots = np.zeros(1), np.array([(0, -1, -1, -1, -1)], NODE), np.zeros(1, np.int32)
    made.score(row, leaf, roots, np.float32(0))
    made.visit(row, leaf, roots, np.zeros(1, np.bool_))
    return made


@register_jitable
def _float32(row: Any) -> Any:
    """The row as XGBoost keeps it; infinities, which it refuses in training, are missing."""
    narrow = np.empty(row.size, np.float32)
    for place in range(row.size):
        value = np.float32(row[place])
        narrow[place] = value if math.isfinite(value) else np.float32(np.nan)
    return narrow


@register_jitable
def _leaf(row: Any, nodes: Any, at: Any) -> Any:
    """The leaf that a row reaches from the node `at`. NaN is neither below nor above a threshold."""
    feature = nodes[at].feature
    while feature >= 0:
        threshold = nodes[at].value
        if row[feature] < threshold:
            at = nodes[at].left
        elif row[feature] >= threshold:
            at = nodes[at].right
        else:
            at = nodes[at].missing
        feature = nodes[at].feature
    return at


def _score(row: Any, nodes: Any, roots: Any, base_margin: Any) -> Any:
    narrow = _float32(row)
    margin = base_margin
    for root in roots:
        margin += nodes[_leaf(narrow, nodes, root)].value
    return np.float32(1) / (np.float32(1) + math.exp(-margin))


def _visit(row: Any, nodes: Any, roots: Any, marks: Any) -> None:
    narrow = _float32(row)
    for root in roots:
        marks[_leaf(narrow, nodes, root)] = True
