"""`budget`: a score threshold that a wanted share of events reaches."""

from collections.abc import Iterator
from math import exp, floor, log
from typing import Final

import msgspec

from fraudbrain_shared.controls.governor import COUNT, Suggestion
from fraudbrain_shared.controls.starting import Start
from fraudbrain_shared.scenario.description import BudgetTuner, Tuning
from fraudbrain_shared.tuners.grid import ticks
from fraudbrain_shared.tuners.observation import Observation

BINS_PER_UNIT: Final = 32
"""Scores are counted by their log-odds: a bin is 3 % of the odds wide, near 0 and near 1 alike."""
_FARTHEST: Final = 1e-6


class BudgetState(msgspec.Struct, array_like=True):
    """How many scores fell into each bin, by release and hop of one tick."""

    bins: dict[str, dict[int, dict[int, int]]] = {}


class Budget:
    """The lowest edge of a bin that at most `share` of the window's scores reach.

    A quantile of a histogram: exact up to the width of a bin, 1/32 of a unit of log-odds, and
    independent of the order of scores. Only scores of the live release count: another one has its own scale.
    """

    def __init__(self, tuner: BudgetTuner, tuning: Tuning) -> None:
        self._tuner = tuner
        self._every_ms = tuning.every_ms
        self.warm_up_ms = 0

    def empty(self) -> BudgetState:
        return BudgetState()

    def add(self, state: BudgetState, seen: Observation) -> None:
        hops = state.bins.setdefault(seen.release or "", {})
        counts = hops.setdefault(seen.time // self._every_ms, {})
        place = bin_of(seen.value)
        counts[place] = counts.get(place, 0) + 1

    def joined(self, left: BudgetState, right: BudgetState) -> BudgetState:
        both = BudgetState()
        for part in (left, right):
            for release, hops in part.bins.items():
                for index, counts in hops.items():
                    into = both.bins.setdefault(release, {}).setdefault(index, {})
                    for place, count in counts.items():
                        into[place] = into.get(place, 0) + count
        return both

    def suggest(self, state: BudgetState, tick: int, start: Start) -> Suggestion | None:
        end = tick // self._every_ms
        first = end - self._tuner.window_ms // self._every_ms
        counts: dict[int, int] = {}
        for index, hop in state.bins.get(start.release or "", {}).items():
            if first <= index < end:
                for place, count in hop.items():
                    counts[place] = counts.get(place, 0) + count
        total = sum(counts.values())
        if total == 0:
            return None
        allowed, reached, edge = self._tuner.share * total, 0, max(counts) + 1
        for place in sorted(counts, reverse=True):
            if reached + counts[place] > allowed:
                break
            reached, edge = reached + counts[place], place
        evidence = {COUNT: total, "reached": reached, "share": self._tuner.share}
        return Suggestion(lower_edge(edge), evidence)

    def due(self, state: BudgetState, after: int, until: int) -> Iterator[int]:
        indices = sorted({index for hops in state.bins.values() for index in hops})
        return ticks(indices, after, until, every_ms=self._every_ms, window_ms=self._tuner.window_ms)

    def trim(self, state: BudgetState, tick: int) -> None:
        first = (tick - self._tuner.window_ms) // self._every_ms
        for release in list(state.bins):
            kept = {index: counts for index, counts in state.bins[release].items() if index >= first}
            if kept:
                state.bins[release] = kept
            else:
                del state.bins[release]


def bin_of(score: float) -> int:
    """The bin of a score: the whole part of its log-odds in units of 1/32."""
    score = min(max(score, _FARTHEST), 1 - _FARTHEST)
    return floor((log(score) - log(1 - score)) * BINS_PER_UNIT)


def lower_edge(place: int) -> float:
    """The least score above all scores of the bins before `place`."""
    return 1 / (1 + exp(-place / BINS_PER_UNIT))
