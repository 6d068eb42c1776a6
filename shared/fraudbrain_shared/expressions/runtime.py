"""What generated functions call where one Python operator does not say it. Nothing here ever raises."""

import re
from math import asin, cos, radians, sin, sqrt

from fraudbrain_shared.expressions.types import RANGES, Type
from fraudbrain_shared.expressions.values import ERROR, EvaluationError

_INT = RANGES[Type.INT]
_INT_TEXT = re.compile(r"([+-]?)0*([0-9]{1,19})")
_DOUBLE_TEXT = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)", re.IGNORECASE)

# The mean radius R1 of the Earth: IUGG, Geodetic Reference System 1980 (H. Moritz, 2000).
EARTH_RADIUS_KM = 6_371.0088


def quotient(dividend: int, divisor: int) -> int | EvaluationError:
    """Division that rounds toward zero."""
    if divisor == 0 or (divisor == -1 and dividend == _INT.low):
        return ERROR
    rounded = abs(dividend) // abs(divisor)
    return rounded if (dividend < 0) == (divisor < 0) else -rounded


def remainder(dividend: int, divisor: int) -> int | EvaluationError:
    """What `quotient` leaves over; it has the sign of the dividend."""
    if divisor == 0 or (divisor == -1 and dividend == _INT.low):
        return ERROR
    rest = abs(dividend) % abs(divisor)
    return rest if dividend >= 0 else -rest


_BOOL_TEXTS = {
    **dict.fromkeys(("true", "True", "TRUE", "t", "1"), True),
    **dict.fromkeys(("false", "False", "FALSE", "f", "0"), False),
}


def bool_of_string(text: str) -> bool | EvaluationError:
    """`true`, `True`, `TRUE`, `t`, `1`, and the same for false: the texts of the CEL specification."""
    return _BOOL_TEXTS.get(text, ERROR)


def int_of_double(number: float) -> int | EvaluationError:
    """Rounds toward zero. Both ends of the range are excluded: no double tells them from what lies beyond."""
    return int(number) if -(2.0**63) < number < 2.0**63 else ERROR


def int_of_string(text: str) -> int | EvaluationError:
    """Decimal digits with or without a sign, and nothing else."""
    match = _INT_TEXT.fullmatch(text)
    if not match:
        return ERROR
    number = int(match[1] + match[2])
    return number if _INT.low <= number <= _INT.high else ERROR


def double_of_string(text: str) -> float | EvaluationError:
    """A decimal number with or without an exponent, or `inf`, `infinity`, `nan` in any case."""
    return float(text) if _DOUBLE_TEXT.fullmatch(text) else ERROR


def string_of_double(number: float) -> str:
    """The shortest digits that give the same double again, with an exponent below 1e-4 and from 1e6 on.

    The specification leaves the form open; this is what its implementations in Go and C++ write.
    """
    text = repr(number).removesuffix(".0")
    if not 1e6 <= abs(number) < 1e16:  # from there on Python writes an exponent itself
        return text
    sign, digits = "-" * (number < 0), text.removeprefix("-")
    exponent = len(digits.partition(".")[0]) - 1
    digits = digits.replace(".", "").rstrip("0")
    return f"{sign}{digits[0]}{'.' * (len(digits) > 1)}{digits[1:]}e+{exponent:02}"


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float | EvaluationError:
    """Great-circle distance of two points in degrees, by the haversine formula.

    Error unless latitudes are within ±90 and longitudes within ±180. The Earth is taken as a sphere, which is
    off by at most 0.6 %. Source: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984), p. 159.
    """
    if not (abs(lat1) <= 90.0 and abs(lat2) <= 90.0 and abs(lon1) <= 180.0 and abs(lon2) <= 180.0):
        return ERROR
    north, east = radians(lat2 - lat1) / 2, radians(lon2 - lon1) / 2
    square = sin(north) ** 2 + cos(radians(lat1)) * cos(radians(lat2)) * sin(east) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, square)))
