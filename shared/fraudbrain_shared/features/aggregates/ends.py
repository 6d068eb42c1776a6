"""The first and the newest value, by event time; of two at one time by log order."""

from collections.abc import Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any

from fraudbrain_shared.features.aggregates.aggregate import Column, Groups, keep_first

_NEVER = -1


class First:
    """The column holds time and value of the first in each hop."""

    def start(self) -> Column:
        return []

    def insert(self, column: Column, place: int, value: Any, time: int) -> None:
        column.insert(place, [time, value])

    def add(self, column: Column, place: int, value: Any, time: int) -> None:
        if time < column[place][0]:
            column[place] = [time, value]

    def regroup(self, column: Column, groups: Groups, dropped: int) -> None:
        keep_first(column, groups, dropped)

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        parts = zip(pairwise(lefts), pairwise(rights), strict=True)
        found = (left[one:end] + right[other:last] for (one, end), (other, last) in parts)
        return [list(min(each, key=itemgetter(0), default=(_NEVER, None))) for each in found]


class Newest:
    """The column holds time and value of the newest event: it is in the newest hop, whatever window that is in."""

    def start(self) -> Column:
        return [_NEVER, None]

    def insert(self, column: Column, place: int, value: Any, time: int) -> None:
        self.add(column, place, value, time)

    def add(self, column: Column, place: int, value: Any, time: int) -> None:
        if time >= column[0]:
            column[0] = time
            column[1] = value

    def regroup(self, column: Column, groups: Groups, dropped: int) -> None:
        pass

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        return list(left if left[0] > right[0] else right)
