"""The least and the greatest value: the column holds that of each hop and all after it, so that a read is a look.

They only fall, or only rise, from one hop to the next: a new value replaces those at the end that it exceeds, and
most values exceed few (the monotone queue of sliding-window maxima).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import inf
from typing import Any

from fraudbrain_shared.features.aggregates.aggregate import Column, Groups, keep_first


class _Extreme(ABC):
    """What both have in common."""

    @abstractmethod
    def add(self, column: Column, place: int, value: Any, time: int) -> None: ...

    def start(self) -> Column:
        return []

    def insert(self, column: Column, place: int, value: Any, time: int) -> None:
        if place == len(column):
            column.append(value)
            self.add(column, place - 1, value, time)
        else:
            column.insert(place, column[place])
            self.add(column, place, value, time)

    def regroup(self, column: Column, groups: Groups, dropped: int) -> None:
        keep_first(column, groups, dropped)


class Low(_Extreme):
    """The least value."""

    def add(self, column: Column, place: int, value: Any, time: int) -> None:
        while place >= 0 and value < column[place]:
            column[place] = value
            place -= 1

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        return [min(each, default=inf) for each in _from_each(left, right, lefts, rights)]


class High(_Extreme):
    """The greatest value."""

    def add(self, column: Column, place: int, value: Any, time: int) -> None:
        while place >= 0 and value > column[place]:
            column[place] = value
            place -= 1

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        return [max(each, default=-inf) for each in _from_each(left, right, lefts, rights)]


def _from_each(left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> list[Column]:
    """For each hop of the result what either side has from there on."""
    places = list(zip(lefts, rights, strict=True))[:-1]
    return [left[one : one + 1] + right[other : other + 1] for one, other in places]
