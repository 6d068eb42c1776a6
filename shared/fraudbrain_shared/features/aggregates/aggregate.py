"""What an aggregate is: start, add one, join two, read; here over all hops of a state at once."""

from collections.abc import Sequence
from typing import Any, Protocol

Column = list[Any]
"""What an aggregate keeps of the hops of a state: plain values that any store can keep."""

Groups = Sequence[tuple[int, int]]
"""From which place up to which hops become one each, the newest group first: places before it stay what they are."""


class Aggregate(Protocol):
    """One thing that is kept of hops. It holds no data; its column does.

    The hops stand in order of time, and none is empty. A window reads all of them from some place on, so a column
    is kept in a form in which such a read is cheap: sums *before* each hop, the greatest value *from* each on.
    How a column is read stands in `reads`.
    """

    def start(self) -> Column:
        """The column of no hops."""

    def insert(self, column: Column, place: int, value: Any, time: int) -> None:
        """A new hop, before the one at `place`, with one value of an event's time, UTC ms."""

    def add(self, column: Column, place: int, value: Any, time: int) -> None:
        """One more value in the hop at `place`, after all others in log order."""

    def regroup(self, column: Column, groups: Groups, dropped: int) -> None:
        """Makes one hop of each group, then drops the first `dropped`, of which none is in a group."""

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        """The column of two histories, of which the right one is later in the log. Changes neither.

        `lefts` are the places in `left` from which on its hops are not before each hop of the result, and at last
        how many it has; `rights` the same. So one has a part of the i-th where its i-th place differs from the next.
        """


def keep_first(column: Column, groups: Groups, dropped: int) -> None:
    """Regroups a column of which a group has what its first hop had."""
    for first, end in groups:
        del column[first + 1 : end]
    if dropped:
        del column[:dropped]
