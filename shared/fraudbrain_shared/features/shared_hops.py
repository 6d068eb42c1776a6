"""Windows and lifetimes over the same values share one list of hops: the newest are short, the older the longer.

A window of length L and hop h, read at time t, holds the hops from floor((t − L) / h) on: its new end moves with
time, its old end in steps. So where only windows with hops of a day reach, hops of a day will do; and any window is
all that stands from some place in the list on. A lifetime is a window without an old end.

Hops that became needlessly short are put together now and then, when the list has grown: reads do not depend on
when. That moment depends on the events alone, so that a state is the same wherever it was folded.
"""

from bisect import bisect_left
from itertools import pairwise
from typing import Any, Final

from fraudbrain_shared.features.aggregates import AGGREGATES, Aggregate, Run
from fraudbrain_shared.features.compiled_adds import Add, Hops, compile_add
from fraudbrain_shared.features.keeper import State
from fraudbrain_shared.scenario.profile_state import ENDLESS_S, FIRST_SLACK, StateShape

SIGNATURE: Final = 1  # length of the shortest hops, and the letters of the columns
AS_OF: Final = 2  # the clock, in seconds, when hops were put together last
LIMIT: Final = 3  # with how many hops that is due again
STARTS: Final = 4  # the beginnings of the hops, in seconds
COLUMNS: Final = 5  # the first column
Edges = list[tuple[int, int]]
"""For each window from the shortest on: from which second on it or a shorter one reads, and how long hops may be that
no shorter one reads."""


class SharedHops:
    """The keeper of a list of hops."""

    def __init__(self, shape: StateShape) -> None:
        self._tag = shape.tag
        self.notes_misses = self.minds_misses = "r" in shape.columns
        self._windows = shape.reaches
        self._hop_s = self._windows[0].grid_s
        reach_s = max(each.length_s + each.hop_s for each in self._windows)
        self.letters = shape.columns
        self._signature = f"{self._hop_s % ENDLESS_S}{self.letters}"
        self.form = f"{shape.tag}:{self._signature}"
        self._aggregates: list[Aggregate] = [AGGREGATES[letter](reach_s) for letter in self.letters]
        self._adds = [(each.add, COLUMNS + place) for place, each in enumerate(self._aggregates)]
        self._inserts = [(each.insert, COLUMNS + place) for place, each in enumerate(self._aggregates)]
        self._runs = [(each, COLUMNS + place) for place, each in enumerate(self._aggregates) if isinstance(each, Run)]

        self.add: Add = compile_add(
            Hops(self._hop_s, STARTS, LIMIT, COLUMNS),
            dict(zip(self.letters, self._aggregates, strict=True)),
            self._add_late,
            self._regrouped,
        )

    def start(self) -> State:
        return [self._tag, self._signature, 0, FIRST_SLACK, [], *[each.start() for each in self._aggregates]]

    def _add_late(self, state: State, value: Any, key: Any, time: int, clock: int) -> int:
        """Into its own hop, if any window still has it."""
        second = time // 1000
        dropped = sum(second < each.begin_s(clock // 1000) for each in self._windows)
        if dropped == len(self._windows):
            for run, column in self._runs:
                run.meet(state[column], value)
            return dropped
        start = _own_start(second, self._edges(state[AS_OF]))
        starts: list[int] = state[STARTS]
        place = bisect_left(starts, start)
        if place < len(starts) and starts[place] == start:
            for add, column in self._adds:
                add(state[column], place, value, time)
        else:
            starts.insert(place, start)
            for insert, column in self._inserts:
                insert(state[column], place, value, time)
        return dropped

    def miss(self, state: State, key: Any, time: int, clock: int) -> None:
        for run, column in self._runs:
            run.end(state[column])

    def adopted(self, state: State) -> State:
        if state[SIGNATURE] == self._signature:
            return state
        known = dict(zip(str(state[SIGNATURE]).lstrip("0123456789"), state[COLUMNS:], strict=True))
        nothing = [0] * (len(state[STARTS]) + 1)
        columns = [
            known[letter] if letter in known else each.joined(each.start(), each.start(), nothing, nothing)
            for letter, each in zip(self.letters, self._aggregates, strict=True)
        ]
        own = [self._tag, self._signature, *state[AS_OF : STARTS + 1], *columns]
        return self._regrouped(own, state[AS_OF])

    def joined(self, left: State, right: State, clock: int) -> State:
        left, right = self._regrouped(left, clock // 1000), self._regrouped(right, clock // 1000)
        starts = sorted({*left[STARTS], *right[STARTS]})
        lefts = [*[bisect_left(left[STARTS], start) for start in starts], len(left[STARTS])]
        rights = [*[bisect_left(right[STARTS], start) for start in starts], len(right[STARTS])]
        columns = [
            each.joined(left[COLUMNS + place], right[COLUMNS + place], lefts, rights)
            for place, each in enumerate(self._aggregates)
        ]
        return [*left[:LIMIT], _limit(len(starts)), starts, *columns]

    def _regrouped(self, state: State, as_of_s: int) -> State:
        """The state with no more hops than its windows need as of a time."""
        known: list[int] = state[STARTS]
        starts: list[int] = []
        places: list[int] = []
        edges = [(bisect_left(known, begin_s), grid_s) for begin_s, grid_s in reversed(self._edges(as_of_s))]
        for (first, grid_s), (end, _) in pairwise([*edges, (len(known), 0)]):
            if grid_s == self._hop_s:  # no hop is shorter: nothing is to be put together
                starts += known[first:]
                places += range(first, len(known))
                break
            newest = starts[-1] // grid_s if starts else -1
            for place, start in enumerate(known[first:end], first):
                own = start // grid_s
                if own > newest:
                    newest = own
                    starts.append(own * grid_s)
                    places.append(place)
        columns = [each.regrouped(state[COLUMNS + place], places) for place, each in enumerate(self._aggregates)]
        return [*state[:AS_OF], as_of_s, _limit(len(starts)), starts, *columns]

    def _edges(self, as_of_s: int) -> Edges:
        edges = []
        begin_s = as_of_s
        for each in self._windows:
            begin_s = min(begin_s, each.begin_s(as_of_s))
            edges.append((begin_s, each.grid_s))
        return edges


def _own_start(second: int, edges: Edges) -> int:
    """The beginning of the hop that a second belongs to, which some window reads."""
    grid_s = next(grid_s for begin_s, grid_s in edges if second >= begin_s)
    return second // grid_s * grid_s


def _limit(hops: int) -> int:
    return hops + max(FIRST_SLACK, hops // 4)
