"""The sum of doubles: kept hop by hop, because what was added to a double cannot be taken away again."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import fsum

from fraudbrain_shared.features.aggregates.aggregate import Column, Groups


class RealTotal:
    """The column holds the sum of each hop."""

    def start(self) -> Column:
        return []

    def insert(self, column: Column, place: int, value: float, time: int) -> None:
        column.insert(place, value)

    def add(self, column: Column, place: int, value: float, time: int) -> None:
        column[place] += value

    def regroup(self, column: Column, groups: Groups, dropped: int) -> None:
        for first, end in groups:
            column[first:end] = [real_sum(column[first:end])]
        del column[:dropped]

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        parts = zip(pairwise(lefts), pairwise(rights), strict=True)
        return [sum(left[one:end]) + sum(right[other:last]) for (one, end), (other, last) in parts]


def real_sum(values: Iterable[float]) -> float:
    """Their sum, rounded once, in whatever order; infinite where it is too large.

    Source: J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic", Discrete & Computational Geometry 18
    (1997), as `math.fsum` has it.
    """
    try:
        return fsum(values)
    except (OverflowError, ValueError):  # beyond the largest double on the way, or infinite both ways
        return sum(values)
