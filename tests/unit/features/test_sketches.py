"""The sketches: exact while there is little, within their error from there on, whatever the order."""

from math import ceil
from random import Random

from hypothesis import given, settings, strategies as st

from fraudbrain_shared.features.aggregates import Column
from fraudbrain_shared.features.aggregates.distinct import Distinct, sketched_since
from fraudbrain_shared.features.aggregates.quantiles import Quantiles, in_order, quantile
from fraudbrain_shared.scenario.profile_state import (
    EXACT_DISTINCT,
    QUANTILE_BINS,
    SKETCH_RANKS,
    SKETCH_REGISTERS,
)

HOUR_S = 3_600
DISTINCT, QUANTILES = Distinct(24 * HOUR_S), Quantiles()


def seen(values: list[tuple[int, int]]) -> Column:
    column = DISTINCT.start()
    for second, value in values:
        DISTINCT.add(column, 0, value, second * 1000)
    return column


def test_64_values_are_counted_exactly_and_more_by_a_sketch() -> None:
    column = seen([(0, value) for value in range(EXACT_DISTINCT)])
    assert not column[0]
    DISTINCT.add(column, 0, "another", 0)
    assert column[0]


def test_the_sketch_is_within_its_error() -> None:
    """Over many trials the relative error's standard deviation is 13 %, its mean nearly 0."""
    for count in (100, 1_000, 10_000):
        errors = [
            sketched_since(seen([(0, trial * count + value) for value in range(count)]), 0) / count - 1
            for trial in range(30)
        ]
        assert (sum(each * each for each in errors) / len(errors)) ** 0.5 < 0.13 * 1.4
        assert abs(sum(errors) / len(errors)) < 0.13 / 30**0.5 * 3


def test_a_short_window_of_a_long_sketch_is_nearly_exact() -> None:
    column = seen([(second, second) for second in range(2_000)])
    assert column[0]
    for count in (1, 5, 10):
        assert abs(sketched_since(column, 2_000 - count) - count) <= max(1, count // 4)


def test_a_sketch_begins_anew_when_all_in_it_is_too_old() -> None:
    column = seen([(0, value) for value in range(200)])
    DISTINCT.add(column, 0, 7, 26 * HOUR_S * 1000)
    assert column == [False, {next(iter(column[1])): 26 * HOUR_S}]


def test_a_sketch_is_bounded() -> None:
    random = Random(2)
    column = seen([(second, random.getrandbits(60)) for second in range(20_000)])
    assert len(column[1]) <= SKETCH_REGISTERS * SKETCH_RANKS


@given(st.lists(st.tuples(st.integers(0, 10 * HOUR_S), st.integers(0, 300)), max_size=150), st.integers(0, 150))
def test_joined_sketches_know_what_one_would(values: list[tuple[int, int]], cut: int) -> None:
    joined = DISTINCT.joined(seen(values[:cut]), seen(values[cut:]), (), ())
    whole = seen(values)
    assert joined[0] == whole[0]
    assert dict(joined[1]) == dict(whole[1])


magnitudes = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(-1e300, 1e300), st.integers(-1_000, 1_000))


def counted(values: list[float]) -> Column:
    column = QUANTILES.start()
    for value in values:
        QUANTILES.add(column, 0, value, 0)
    return column


@settings(max_examples=50)
@given(st.lists(magnitudes, min_size=1, max_size=400), st.sampled_from([1, 25, 50, 75, 99]))
def test_a_quantile_is_within_the_error_of_its_level(values: list[float], percent: int) -> None:
    column = counted(values)
    exact = sorted(values)[ceil(percent * len(values) / 100) - 1]
    error = 0.01
    for _ in range(column[0]):
        error = 2 * error / (1 + error * error)
    read = quantile(in_order(column), percent)
    assert read is not None
    assert abs(read - exact) <= (error + 1e-9) * abs(exact)


def test_two_percent_of_error_hold_for_a_span_of_26_000_times() -> None:
    random = Random(4)
    column = counted([10 * 26_000 ** random.random() for _ in range(20_000)])
    assert column[0] == 1
    assert len(column[2]) <= QUANTILE_BINS


@given(st.lists(magnitudes, max_size=600), st.integers(0, 600), st.integers(0, 9))
def test_quantiles_know_neither_order_nor_parts(values: list[float], cut: int, seed: int) -> None:
    whole = counted(values)
    Random(seed).shuffle(values)
    assert counted(values) == whole
    assert QUANTILES.joined(counted(values[:cut]), counted(values[cut:]), (), ()) == whole
