"""Quantiles are those of the values themselves, within the error that is stated."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from fraudbrain_deploy.load.histogram import Histogram

LATENCIES = st.lists(st.integers(0, 10**9), min_size=1, max_size=200)


@given(LATENCIES, st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 1.0]))
def test_a_quantile_is_never_below_the_exact_one_and_at_most_a_part_in_256_above(
    latencies: list[int], share: float
) -> None:
    histogram = Histogram.of(np.array(latencies, np.int64))
    exact = sorted(latencies)[max(0, math.ceil(share * len(latencies) - 1e-9) - 1)]
    assert exact <= histogram.quantile_us(share) <= exact + exact / 256
    assert histogram.max_us == max(latencies)
    assert histogram.count == len(latencies)


@given(LATENCIES, LATENCIES)
def test_two_histograms_together_are_the_histogram_of_all(one: list[int], other: list[int]) -> None:
    both = Histogram.of(np.array(one, np.int64))
    both.add(Histogram.of(np.array(other, np.int64)))
    assert both == Histogram.of(np.array(one + other, np.int64))


def test_small_values_have_a_bin_each() -> None:
    histogram = Histogram.of(np.arange(512, dtype=np.int64))
    assert set(histogram.counts.values()) == {1}
    assert [histogram.quantile_us((at + 1) / 512) for at in (0, 255, 511)] == [0, 255, 511]


def test_of_nothing_all_quantiles_are_0() -> None:
    empty = Histogram.of(np.array([], np.int64))
    assert (empty.count, empty.quantile_us(0.99), empty.max_us) == (0, 0, 0)


def test_what_is_looked_at_is_in_milliseconds() -> None:
    quantiles = Histogram.of(np.arange(1, 1_001, dtype=np.int64) * 100).quantiles()
    assert quantiles.max == 100.0
    assert quantiles.p50 == pytest.approx(50, rel=1 / 256)
    assert quantiles.p99 == pytest.approx(99, rel=1 / 256)
