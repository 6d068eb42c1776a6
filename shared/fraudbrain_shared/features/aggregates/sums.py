"""Whole numbers that add up: counts, sums and sums of squares, exact however large.

The column holds the sums of all that stands before each hop, and of all: a window is the difference of two of them.
"""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from fraudbrain_shared.features.aggregates.aggregate import Column, Groups, keep_first


class _Sums:
    def start(self) -> Column:
        return [0]

    def regroup(self, column: Column, groups: Groups, dropped: int) -> None:
        regroup_sums(column, groups, dropped)

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        return [left[one] + right[other] for one, other in zip(lefts, rights, strict=True)]


class Count(_Sums):
    """How many values."""

    def insert(self, column: Column, place: int, value: Any, time: int) -> None:
        insert_sum(column, place, 1)

    def add(self, column: Column, place: int, value: Any, time: int) -> None:
        add_sum(column, place, 1)


class Total(_Sums):
    """The sum of whole values."""

    def insert(self, column: Column, place: int, value: int, time: int) -> None:
        insert_sum(column, place, value)

    def add(self, column: Column, place: int, value: int, time: int) -> None:
        add_sum(column, place, value)


class Squares(_Sums):
    """The sum of the squares of whole values: with count and sum it gives their standard deviation exactly."""

    def insert(self, column: Column, place: int, value: int, time: int) -> None:
        insert_sum(column, place, value * value)

    def add(self, column: Column, place: int, value: int, time: int) -> None:
        add_sum(column, place, value * value)


def insert_sum(column: Column, place: int, amount: int) -> None:
    """A new hop before the one at `place`."""
    if place + 1 == len(column):  # almost always after all others
        column.append(column[-1] + amount)
        return
    column.insert(place, column[place])
    add_sum(column, place, amount)


def add_sum(column: Column, place: int, amount: int) -> None:
    """More in the hop at `place`."""
    if place + 2 == len(column):
        column[-1] += amount
        return
    for later in range(place + 1, len(column)):
        column[later] += amount


def regroup_sums(column: Column, groups: Groups, dropped: int) -> None:
    """One hop of each group; what is dropped is taken off all sums."""
    keep_first(column, groups, dropped)
    if base := column[0]:
        column[:] = [each - base for each in column]


def no_sums(hops: int) -> Column:
    """The column of hops that add up to nothing."""
    return list(repeat(0, hops + 1))
