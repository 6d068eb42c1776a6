"""Windows and lifetimes over the same values share one list of hops: the newest are short, the older the longer.

A window of length L and hop h, read at time t, holds the hops from floor((t − L) / h) on: its new end moves with
time, its old end in steps. So where only windows with hops of a day reach, hops of a day will do; and any window is
all that stands from some place in the list on. A lifetime is a window without an old end.

Hops that became needlessly short are put together now and then, when the list has grown: reads do not depend on
when. That moment depends on the events alone, so that a state is the same wherever it was folded. It is done in place,
and only to hops that windows have left since the last time.
"""

from bisect import bisect_left
from typing import Any, Final

from fraudbrain_shared.features.aggregates import AGGREGATES, Aggregate, Run, keep_first
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
        self._grids = [(each.length_s, each.hop_s, each.grid_s) for each in self._windows]
        self.hop_s = self._windows[0].grid_s
        reach_s = max(each.length_s + each.hop_s for each in self._windows)
        self.letters = shape.columns
        self._signature = f"{self.hop_s % ENDLESS_S}{self.letters}"
        self.form = f"{shape.tag}:{self._signature}"
        self._aggregates: list[Aggregate] = [AGGREGATES[letter](reach_s) for letter in self.letters]
        self._adds = [(each.add, COLUMNS + place) for place, each in enumerate(self._aggregates)]
        self._inserts = [(each.insert, COLUMNS + place) for place, each in enumerate(self._aggregates)]
        self._columns = [(each, COLUMNS + place) for place, each in enumerate(self._aggregates)]
        self._runs = [(each, COLUMNS + place) for place, each in enumerate(self._aggregates) if isinstance(each, Run)]

    def start(self) -> State:
        return [self._tag, self._signature, 0, FIRST_SLACK, [], *[each.start() for each in self._aggregates]]

    def add(self, state: State, value: Any, key: Any, time: int, clock: int) -> int:
        if time < clock:
            return self._add_late(state, value, time, clock)
        starts: list[int] = state[STARTS]
        start = time // 1000 // self.hop_s * self.hop_s
        if starts and starts[-1] >= start:  # it is after where hops were longer in an older release
            for add, column in self._adds:
                add(state[column], len(starts) - 1, value, time)
            return 0
        if len(starts) >= state[LIMIT]:
            self._regroup(state, clock // 1000)
        for insert, column in self._inserts:
            insert(state[column], len(starts), value, time)
        starts.append(start)
        return 0

    def _add_late(self, state: State, value: Any, time: int, clock: int) -> int:
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
        own = [self._tag, self._signature, 0, *state[LIMIT : STARTS + 1], *columns]  # as never put together
        self._regroup(own, state[AS_OF])
        return own

    def joined(self, left: State, right: State, clock: int) -> State:
        self._regroup(left, clock // 1000)
        self._regroup(right, clock // 1000)
        starts = sorted({*left[STARTS], *right[STARTS]})
        lefts = [*[bisect_left(left[STARTS], start) for start in starts], len(left[STARTS])]
        rights = [*[bisect_left(right[STARTS], start) for start in starts], len(right[STARTS])]
        columns = [
            each.joined(left[COLUMNS + place], right[COLUMNS + place], lefts, rights)
            for place, each in enumerate(self._aggregates)
        ]
        return [*left[:LIMIT], _limit(len(starts)), starts, *columns]

    def _regroup(self, state: State, as_of_s: int) -> None:
        """Leaves no more hops than the windows need as of a time.

        What they needed apart when this was done last, and need apart still, is not looked at.
        """
        starts: list[int] = state[STARTS]
        was, now = self._edges(state[AS_OF]), self._edges(as_of_s)
        dropped = end = bisect_left(starts, now[-1][0])
        groups: dict[int, int] = {}
        head = -1  # the newest hop that stays, among those looked at
        for place in range(len(now) - 1, 0, -1):
            grid_s, begin = now[place][1], end
            if grid_s == self.hop_s:  # no hop is shorter: nothing is to be put together
                break
            end = bisect_left(starts, now[place - 1][0], begin)
            first = bisect_left(starts, was[place - 1][0], begin, end)
            if first > begin:
                head = first - 1
            newest = starts[head] // grid_s if head >= 0 else -1
            for each in range(first, end):
                own = starts[each] // grid_s
                if own > newest:
                    newest, head = own, each
                    starts[each] = own * grid_s
                else:
                    groups[head] = each + 1
        together = list(reversed(groups.items()))
        keep_first(starts, together, dropped)
        for aggregate, column in self._columns:
            aggregate.regroup(state[column], together, dropped)
        state[AS_OF], state[LIMIT] = as_of_s, _limit(len(starts))

    def _edges(self, as_of_s: int) -> Edges:
        edges = []
        begin_s = as_of_s
        for length_s, hop_s, grid_s in self._grids:
            own_begin_s = (as_of_s - length_s) // hop_s * hop_s
            if own_begin_s < begin_s:
                begin_s = own_begin_s
            edges.append((begin_s, grid_s))
        return edges


def _own_start(second: int, edges: Edges) -> int:
    """The beginning of the hop that a second belongs to, which some window reads."""
    grid_s = next(grid_s for begin_s, grid_s in edges if second >= begin_s)
    return second // grid_s * grid_s


def _limit(hops: int) -> int:
    return hops + max(FIRST_SLACK, hops // 4)
