"""The standard deviation of a sample (divided by n − 1): of doubles by moments, of whole numbers by exact sums.

Source: B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", Technometrics 4
(1962), for one value more; T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for Computing the Sample Variance",
The American Statistician 37 (1983), for two parts together.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise
from math import sqrt
from typing import Any

from fraudbrain_shared.features.aggregates.aggregate import Column, Groups

Moments = Sequence[Any]
"""How many values, their mean, and the sum of the squares of their distances from it."""

_NONE: Moments = (0, 0.0, 0.0)


class RealMoments:
    """The column holds the moments of each hop: differences of sums of squares would lose all digits."""

    def start(self) -> Column:
        return []

    def insert(self, column: Column, place: int, value: float, time: int) -> None:
        column.insert(place, [1, value, 0.0])

    def add(self, column: Column, place: int, value: float, time: int) -> None:
        hop = column[place]
        distance = value - hop[1]
        hop[0] += 1
        hop[1] += distance / hop[0]
        hop[2] += distance * (value - hop[1])

    def regroup(self, column: Column, groups: Groups, dropped: int) -> None:
        for first, end in groups:
            column[first:end] = [list(together(column[first:end]))]
        del column[:dropped]

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        parts = zip(pairwise(lefts), pairwise(rights), strict=True)
        return [list(together(left[one:end] + right[other:last])) for (one, end), (other, last) in parts]


def together(parts: Iterable[Moments]) -> Moments:
    """The moments of all parts together."""
    return reduce(_joined, parts, _NONE)


def _joined(left: Moments, right: Moments) -> Moments:
    if not left[0] or not right[0]:
        return left if left[0] else right
    count = left[0] + right[0]
    distance = right[1] - left[1]
    mean = left[1] + distance * (right[0] / count)
    return count, mean, left[2] + right[2] + distance * distance * (left[0] * right[0] / count)


def stddev_of_moments(parts: Iterable[Moments]) -> float | None:
    """The standard deviation of all parts together; None of fewer than two values."""
    count, _, squares = together(parts)
    return sqrt(squares / (count - 1)) if count > 1 else None


def stddev_of_sums(count: int, total: int, squares: int) -> float | None:
    """The same of whole numbers by their count, sum and sum of squares. Nothing is rounded before the division."""
    return sqrt((count * squares - total * total) / (count * (count - 1))) if count > 1 else None
