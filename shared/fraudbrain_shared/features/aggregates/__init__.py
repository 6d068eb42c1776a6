"""Aggregates: what is kept of the hops of a state, and how it is read of a window."""

from collections.abc import Callable, Mapping
from typing import Final

from fraudbrain_shared.features.aggregates.aggregate import Aggregate, Column, Groups, keep_first
from fraudbrain_shared.features.aggregates.distinct import Distinct
from fraudbrain_shared.features.aggregates.ends import First, Newest
from fraudbrain_shared.features.aggregates.extremes import High, Low
from fraudbrain_shared.features.aggregates.quantiles import Quantiles
from fraudbrain_shared.features.aggregates.real_total import RealTotal
from fraudbrain_shared.features.aggregates.run import Run
from fraudbrain_shared.features.aggregates.spread import RealMoments
from fraudbrain_shared.features.aggregates.sums import Count, Squares, Total

__all__ = ["AGGREGATES", "Aggregate", "Column", "Groups", "Run", "keep_first"]

AGGREGATES: Final[Mapping[str, Callable[[int], Aggregate]]] = {
    "n": lambda reach_s: Count(),
    "s": lambda reach_s: Total(),
    "f": lambda reach_s: RealTotal(),
    "l": lambda reach_s: Low(),
    "h": lambda reach_s: High(),
    "q": lambda reach_s: Squares(),
    "m": lambda reach_s: RealMoments(),
    "a": lambda reach_s: First(),
    "z": lambda reach_s: Newest(),
    "d": Distinct,
    "r": lambda reach_s: Run(),
    "u": lambda reach_s: Quantiles(),
}
"""By the letter of `COLUMNS`, for states that reach back so many seconds."""
