from decimal import ROUND_HALF_EVEN, Decimal

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from fraudbrain_deploy.importing.numbers import doubles, whole_numbers


@pytest.mark.parametrize(
    ("written", "cents"),
    [
        (12.34, 1234),
        (0.29, 29),
        (1.005, 100),  # a tie goes to the even neighbour, as written in decimal
        (2.675, 268),
        (-2.675, -268),
        (1_000_000_000.01, 100_000_000_001),
        (92233720368547758.07, None),  # as a double it is larger than 64 bits hold
        (float("inf"), None),
    ],
)
def test_amounts_become_minor_units_exactly(written: float, cents: int | None) -> None:
    assert whole_numbers(pa.array([written]), 100.0).values.to_pylist() == [cents]


@given(st.lists(st.decimals(-(10**9), 10**9, places=4), min_size=1), st.sampled_from([1.0, 10.0, 100.0, 1000.0]))
def test_scaling_a_double_is_scaling_what_it_prints_as(amounts: list[Decimal], scale: float) -> None:
    exact = [int((each * Decimal(scale)).to_integral_value(ROUND_HALF_EVEN)) for each in amounts]
    for column in (pa.array([float(each) for each in amounts]), pa.array([str(each) for each in amounts])):
        assert whole_numbers(column, scale).values.to_pylist() == exact


def test_text_decimals_and_small_floats_give_the_same() -> None:
    columns = [
        pa.array(["12.34", " 7 ", "1e2"]),
        pa.array([Decimal("12.34"), Decimal("7.00"), Decimal("100.00")]),
        pa.array([12.34, 7, 100], pa.float32()),
    ]
    for column in columns:
        assert whole_numbers(column, 100.0).values.to_pylist() == [1234, 700, 10_000]


def test_without_scale_a_fraction_is_unreadable_and_nothing_is_not() -> None:
    found = whole_numbers(pa.array([1.0, 1.5, None]), None)
    assert found.values.to_pylist() == [1, None, None]
    assert found.unreadable.tolist() == [False, True, False]


def test_integers_beyond_64_bits_are_unreadable() -> None:
    found = whole_numbers(pa.array([2**63, 2**63 - 1], pa.uint64()), None)
    assert found.values.to_pylist() == [None, 2**63 - 1]
    scaled = whole_numbers(pa.array([2**62, 5, 92233720368547758]), 100.0)
    assert scaled.values.to_pylist() == [None, 500, 9223372036854775800]


def test_what_is_no_number_is_unreadable() -> None:
    found = doubles(pa.array(["1.5", "1,5", "", None]), None)
    assert found.values.to_pylist() == [1.5, None, None, None]
    assert found.unreadable.tolist() == [False, True, True, False]
