"""How long deciding stood still, and how old repeated decisions were: what faults cost."""

from bisect import bisect_right
from collections import defaultdict
from typing import NamedTuple


class Repeat(NamedTuple):
    """A decision that was made again by a group. `first_ms` and `again_ms` are append times in `decisions`."""

    group: str
    partition: int
    first_ms: int
    again_ms: int


class Timing:
    """When each group appended decisions to each partition, UTC ms in the order of the log."""

    def __init__(self) -> None:
        self._appended: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        self.repeats: list[Repeat] = []

    def decided(self, group: str, partition: int, append_ms: int) -> None:
        """Notes a decision; they must come in the order of the log."""
        self._appended[group, partition].append(append_ms)

    def longest_gap_ms(self, group: str, at_ms: int) -> int:
        """Of the group's partitions: for how long the one longest without was without a decision at that moment."""
        longest = 0
        for (name, _), times in self._appended.items():
            place = bisect_right(times, at_ms)
            if name == group and 0 < place < len(times):
                longest = max(longest, times[place] - times[place - 1])
        return longest

    def longest_gap_of_all_ms(self, at_ms: int) -> int:
        """The same where any group's decision ends the wait."""
        longest = 0
        for partition in {partition for _, partition in self._appended}:
            before, after = 0, 0
            for (_, number), times in self._appended.items():
                if number == partition:
                    place = bisect_right(times, at_ms)
                    before = max(before, times[place - 1] if place else 0)
                    after = min(after or times[-1], times[place] if place < len(times) else times[-1])
            if before and after > before:
                longest = max(longest, after - before)
        return longest
