"""The machine code that walks trees: compiled by numba, in float32 as XGBoost itself adds and compares.

It trusts its arrays: `faults.structural_faults` has seen to it that no index leaves them and no walk
goes in a circle. Importing this module takes a second, compiling another one; `forest` does it late.
"""

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np


def _compiled(function: Callable[..., Any]) -> Any:
    """Compiled at the first call and kept on disk for the next process, where there is a place for it: numba
    refuses where neither the installation nor a home can be written."""
    try:
        return numba.njit(function, cache=True)
    except RuntimeError:
        return numba.njit(function)


def _float32(row: Any) -> Any:
    """The row as XGBoost keeps it; infinities, which it refuses in training, are missing."""
    narrow = np.empty(row.size, np.float32)
    for place in range(row.size):
        value = np.float32(row[place])
        narrow[place] = value if math.isfinite(value) else np.float32(np.nan)
    return narrow


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


float32_row = _compiled(_float32)
leaf_of = _compiled(_leaf)


def _score(row: Any, nodes: Any, roots: Any, base_margin: Any) -> Any:
    narrow = float32_row(row)
    margin = base_margin
    for root in roots:
        margin += nodes[leaf_of(narrow, nodes, root)].value
    return np.float32(1) / (np.float32(1) + math.exp(-margin))


def _visit(row: Any, nodes: Any, roots: Any, marks: Any) -> None:
    narrow = float32_row(row)
    for root in roots:
        marks[leaf_of(narrow, nodes, root)] = True


score = _compiled(_score)
"""(row, nodes, roots, base margin) → the probability of fraud."""

visit = _compiled(_visit)
"""(row, nodes, roots, marks): marks the leaves that a row reaches."""
