"""Average precision: how well a ranking puts frauds first."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def average_precision(fraud: npt.NDArray[np.bool_], ranks: Floats) -> float | None:
    """The mean of the precision at each recall step, most suspicious first; equal ranks count as one step.

    As in scikit-learn's `average_precision_score`. None without any fraud.
    """
    total = int(fraud.sum())
    if not total:
        return None
    order = np.argsort(-ranks, kind="stable")
    found = np.cumsum(fraud[order])
    ends = np.flatnonzero(np.append(np.diff(ranks[order]) != 0, True))  # the last of each run of equals
    precision = found[ends] / (ends + 1)
    gained = np.diff(found[ends], prepend=0) / total
    return float(np.sum(precision * gained))
