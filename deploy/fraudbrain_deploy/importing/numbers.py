"""Numbers of a foreign file, exactly: an amount of 12.34 is 1234 cents, never 1233.

A binary double is taken as the shortest decimal that it prints as, which is what the file's author
wrote. Multiplying doubles is off by less than its last bits, so only results next to a tie, or too
large for a double to count in ones, need decimal arithmetic; those few are done one by one.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudbrain_deploy.importing.converted import Column, Converted, is_text, mask, only

WHOLE = "a whole number in the range of 64 bits"
NUMBER = "a number"
LENGTH = "a whole number of milliseconds"

_TEXT = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_EXACT_BELOW = 2.0**52  # from here on neighbouring doubles are a whole apart
_LARGE = 1e40  # far beyond 64 bits, also after any sensible scale
_INT64 = range(-(2**63), 2**63)


def whole_numbers(column: Column, scale: float | None) -> Converted:
    """64-bit integers: each value times `scale`, ties to even; without scale a fraction is unreadable."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_integer(column.type) and (scale is None or scale == 1):
        most = pa.scalar(_INT64.stop - 1, pa.uint64())
        fits = mask(pc.less_equal(column, most) if column.type == pa.uint64() else column.is_valid())
        return Converted.of(only(column, fits).cast(pa.int64()), column, WHOLE)
    approximate = _doubles(column)
    values, good = _scaled(approximate, scale, lambda row: _decimal(column[row]))
    good &= mask(approximate.is_valid())
    return Converted.of(only(pa.array(values), good), column, WHOLE)


def doubles(column: Column, scale: float | None) -> Converted:
    """Double precision numbers, each times `scale`; infinite ones are unreadable."""
    values = _doubles(column)
    if scale is not None:
        values = pc.multiply(values, scale)
    return Converted.of(only(values, mask(pc.is_finite(values))), column, NUMBER)


def durations(column: Column, scale: float | None) -> Converted:
    """Milliseconds: of lengths of time as the file has them, or numbers, each times `scale`."""
    if pa.types.is_duration(column.type):
        return Converted.of(column.cast(pa.duration("ms"), safe=False).cast(pa.int64()), column, LENGTH)
    return replace(whole_numbers(column, scale), wanted=LENGTH)


def _doubles(column: Column) -> Column:
    if is_text(column):
        readable = mask(pc.match_substring_regex(column, _TEXT))
        return pc.utf8_trim_whitespace(only(column, readable)).cast(pa.float64())
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_null(column.type) or pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return column.cast(pa.float64(), safe=False)
    return pa.nulls(len(column), pa.float64())


def _scaled(
    approximate: Column, scale: float | None, exact: Callable[[int], Decimal]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The products as integers, and which of them could be one."""
    given = approximate.to_numpy(zero_copy_only=False)
    product = np.where(np.abs(given) < _LARGE, given, _LARGE) * (1.0 if scale is None else scale)
    rounded = np.rint(product)
    certain = np.abs(rounded) < _EXACT_BELOW
    if scale is None:
        certain &= product == rounded
    else:
        # Two roundings, of the value and of the product, are at most 2 units in the last place.
        certain &= np.abs(np.abs(product - np.trunc(product)) - 0.5) > 4 * np.spacing(np.abs(product))
    values = np.where(certain, rounded, 0).astype(np.int64)
    good = certain.copy()
    for row in np.flatnonzero(~certain & ~np.isnan(given)).tolist():
        found = _exactly(exact(row), scale)
        if found is not None:
            values[row], good[row] = found, True
    return values, good


def _exactly(value: Decimal, scale: float | None) -> int | None:
    """The product as a whole number of 64 bits; None where it is none."""
    if not value.is_finite() or abs(value) > Decimal(_LARGE):
        return None
    product = value if scale is None else value * Decimal(repr(scale))
    whole = product.to_integral_value(rounding=ROUND_HALF_EVEN)
    if scale is None and whole != product:
        return None
    return int(whole) if int(whole) in _INT64 else None


def _decimal(scalar: Any) -> Decimal:
    """What the file says, digit for digit."""
    value = scalar.as_py()
    if isinstance(value, float) and scalar.type == pa.float32():
        value = np.float32(value)
    return value if isinstance(value, Decimal) else Decimal(str(value).strip())
