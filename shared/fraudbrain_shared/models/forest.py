"""A model's trees in the arrays that the kernel walks."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from fraudbrain_shared.records import Trees

Row: TypeAlias = npt.NDArray[np.float64]
"""Values of the model's features in order; NaN is missing."""


class Forest:
    """Trees that were checked, ready to be walked. Made once for each release."""

    def __init__(self, trees: Trees, base_margin: float) -> None:
        from fraudbrain_shared.models import kernel  # late, since it takes a second

        self._kernels = kernel.kernels()
        self._nodes = np.empty(len(trees.feature), kernel.NODE)
        self._nodes["value"] = trees.value
        self._nodes["feature"] = trees.feature
        self._nodes["left"] = trees.left
        self._nodes["right"] = trees.right
        self._nodes["missing"] = np.where(trees.missing_left, trees.left, trees.right)
        self._roots = np.array(trees.roots, np.int32)
        self._base_margin = np.float32(base_margin)

    def score(self, row: Row) -> float:
        """The probability that the row's event is a fraud. What float32 cannot hold is missing."""
        return self._kernels.score(row, self._nodes, self._roots, self._base_margin)

    def leaf_coverage(self, rows: Iterable[Row]) -> float:
        """The share of the leaves that at least one of the rows reaches."""
        marks = np.zeros(len(self._nodes), np.bool_)
        for row in rows:
            self._kernels.visit(row, self._nodes, self._roots, marks)
        return float(marks.sum() / (self._nodes["feature"] < 0).sum())


def as_row(values: Sequence[float | None]) -> Row:
    """A row of values, None where one is missing."""
    return np.array([np.nan if value is None else value for value in values], np.float64)


def warm_up() -> None:
    """Loads or compiles the kernel: one to three seconds that no event should wait for."""
    from fraudbrain_shared.models import kernel

    kernel.kernels()
