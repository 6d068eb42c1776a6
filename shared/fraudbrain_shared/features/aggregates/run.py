"""The streak: how many of the latest records in a row were folded, with the value of the newest."""

from collections.abc import Sequence
from typing import Any

from fraudbrain_shared.features.aggregates.aggregate import Column, Groups
from fraudbrain_shared.features.aggregates.sums import add_sum, insert_sum, no_sums, regroup_sums


class Run:
    """The column holds whether a run ended since the start, the value of the present run (None before its first
    record), and the sums of its records before each hop, and of all.

    Runs go by log order: a late record ends or continues one, too, and counts where its own hop is.
    """

    def start(self) -> Column:
        return [False, None, [0]]

    def insert(self, column: Column, place: int, value: Any, time: int) -> None:
        self.meet(column, value)
        insert_sum(column[2], place, 1)

    def add(self, column: Column, place: int, value: Any, time: int) -> None:
        self.meet(column, value)
        add_sum(column[2], place, 1)

    def meet(self, column: Column, value: Any) -> None:
        """Ends the run if the newest record has another value."""
        if column[1] != value:
            if column[1] is not None:
                self.end(column)
            column[1] = value

    def end(self, column: Column) -> None:
        """The newest record was not folded: the run is over."""
        column[:] = [True, None, no_sums(len(column[2]) - 1)]

    def regroup(self, column: Column, groups: Groups, dropped: int) -> None:
        regroup_sums(column[2], groups, dropped)

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        if not right[0] and right[1] is None:  # it had no record
            return [*left[:2], [left[2][place] for place in lefts]]
        sums = [right[2][place] for place in rights]
        if right[0] or left[1] not in (None, right[1]):
            return [True, right[1], sums]
        return [left[0], right[1], [left[2][place] + more for place, more in zip(lefts, sums, strict=True)]]
