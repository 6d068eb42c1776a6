"""How values were spread in training, in bins that a monitor can count later values into."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fraudbrain_shared.records import Histogram

_DECILES: Final = np.arange(1, 10) / 10
_MAX_CATEGORY_BINS: Final = 100


def histogram(values: npt.NDArray[Any], edges: Sequence[float]) -> Histogram:
    """How many of the values lie in each bin; NaN is missing. `edges` ascend."""
    there = values[~np.isnan(values)]
    bins = np.searchsorted(np.array(edges, np.float64), there, side="right")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    return Histogram(tuple(edges), tuple(counts.tolist()), len(values) - len(there))


def decile_edges(values: npt.NDArray[Any]) -> tuple[float, ...]:
    """The deciles of the values, each once: a tenth of them lies in each bin, or more where many are equal."""
    there = values[~np.isnan(values)].astype(np.float64)
    if not len(there):
        return ()
    return tuple(np.unique(np.quantile(there, _DECILES, method="inverted_cdf")).tolist())


def category_edges(categories: int) -> tuple[float, ...]:
    """Edges between the codes of categories: a bin for each, or for some neighbours if there are many."""
    step = -(-categories // _MAX_CATEGORY_BINS)
    return tuple(map(float, range(step, categories, step)))
