"""Quantiles of everything, in bounded memory and with a bounded relative error.

Values are counted in bins whose bounds grow by a factor γ = (1 + α) / (1 − α): the middle of a bin is off by at most
α, 1 % at first. When there are more than 256 bins each two neighbours become one, which squares γ: about twice the
error, for all quantiles alike. So it stays 1 % while the largest magnitude is up to 160 times the smallest, 2 % up to
26,000 times, 4 % up to 700 million times. Zero has a bin of its own, negative values have theirs.

Source: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
Guarantees", VLDB 12 (2019); I. Epicoco et al., "UDDSketch: Accurate Tracking of Quantiles in Data Streams", IEEE
Access 8 (2020), for the uniform collapse, by which the sketch depends only on what was added, not on the order.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import ceil, exp, log
from sys import float_info
from typing import Any, Final, NamedTuple

from fraudbrain_shared.features.aggregates.aggregate import Column, Groups
from fraudbrain_shared.scenario.profile_state import QUANTILE_BINS

Bins = dict[int, int]

_ALPHA: Final = 0.01
_LOG_GAMMA: Final = log((1 + _ALPHA) / (1 - _ALPHA))
_LOG_LARGEST: Final = log(float_info.max)


class Quantiles:
    """The column holds how often neighbours were joined, the number of zeros, and the bins of positive and of
    negative values. It knows no hops: only a lifetime reads it."""

    def start(self) -> Column:
        return [0, 0, {}, {}]

    def insert(self, column: Column, place: int, value: Any, time: int) -> None:
        self.add(column, place, value, time)

    def add(self, column: Column, place: int, value: Any, time: int) -> None:
        level, _, positive, negative = column
        if not value:
            column[1] += 1
            return
        bins = positive if value > 0 else negative
        index = _coarser(ceil(log(abs(value)) / _LOG_GAMMA), level)
        bins[index] = bins.get(index, 0) + 1
        _bound(column)

    def regroup(self, column: Column, groups: Groups, dropped: int) -> None:
        pass

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        level = max(left[0], right[0])
        both = [level, left[1] + right[1], {}, {}]
        for column in (left, right):
            for bins, more in zip(both[2:], column[2:], strict=True):
                _count_coarser(bins, more, level - column[0])
        _bound(both)
        return both


def _bound(column: Column) -> None:
    while len(column[2]) + len(column[3]) > QUANTILE_BINS:
        column[0] += 1
        for place in (2, 3):
            finer, column[place] = column[place], {}
            _count_coarser(column[place], finer, 1)


def _count_coarser(bins: Bins, finer: Bins, levels: int) -> None:
    for index, count in finer.items():
        coarser = _coarser(index, levels)
        bins[coarser] = bins.get(coarser, 0) + count


def _coarser(index: int, levels: int) -> int:
    """The bin that holds a bin after neighbours were joined so often: half of it, rounded up, each time."""
    return -(-index >> levels)


class OrderedBins(NamedTuple):
    """The bins from the least value to the greatest: their signs and indices, and how many values are up to each."""

    level: int
    bins: Sequence[tuple[int, int]]
    up_to: Sequence[int]


def in_order(column: Column) -> OrderedBins:
    """What all quantiles are read of."""
    level, zeros, positive, negative = column
    negatives, positives = sorted(negative, reverse=True), sorted(positive)
    bins = [*[(-1, index) for index in negatives], (0, 0), *[(1, index) for index in positives]]
    counts = [*[negative[index] for index in negatives], zeros, *[positive[index] for index in positives]]
    return OrderedBins(level, bins, list(accumulate(counts)))


def quantile(ordered: OrderedBins, percent: int) -> float | None:
    """The value that `percent` of 100 do not exceed: the one of that rank, up to the error; None of nothing."""
    rank = rank_of(ordered.up_to[-1], percent)
    if not rank:
        return None
    sign, index = ordered.bins[bisect_left(ordered.up_to, rank)]
    return sign * _middle(index, ordered.level)


def _middle(index: int, level: int) -> float:
    """The value whose relative distance to both bounds of a bin is the same."""
    log_gamma = _LOG_GAMMA * (1 << level)
    return exp(min(log_gamma * index - log((exp(log_gamma) + 1) / 2), _LOG_LARGEST))


def rank_of(count: int, percent: int) -> int:
    """The rank, from 1 on, of a quantile among `count` values: type 1 of R. J. Hyndman, Y. Fan, "Sample Quantiles
    in Statistical Packages", The American Statistician 50 (1996)."""
    return -(-percent * count // 100)
