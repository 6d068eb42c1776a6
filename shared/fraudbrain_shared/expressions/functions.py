"""The closed table of operators and functions: what each takes, what it gives, and the Python that computes it.

All of these are strict: unknown if any operand is unknown, else an error if any is one. What is not strict
(`&&`, `||`, `?:`, `has`, `known`, `or_else`) stands in the checker and the compiler.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import copysign, inf
from typing import Final

from fraudbrain_shared.expressions import runtime
from fraudbrain_shared.expressions.calendar import date_of
from fraudbrain_shared.expressions.time_literals import duration_text, timestamp_text
from fraudbrain_shared.expressions.time_zones import LOCAL_RANGE
from fraudbrain_shared.expressions.types import RANGES, SCALARS, Range, Type
from fraudbrain_shared.expressions.values import ERROR

_BOOL, _INT, _DOUBLE, _STRING = Type.BOOL, Type.INT, Type.DOUBLE, Type.STRING
_TIMESTAMP, _DURATION = Type.TIMESTAMP, Type.DURATION


@dataclass(frozen=True, slots=True)
class Overload:
    """An operator or function at one choice of operand types.

    `code` is a Python expression over the operands {0}, {1}, ...; its value may be ERROR where `fails`.
    `bounds` gives the range of the exact result from the ranges of the operands: where it leaves the range of
    the type, the compiler adds the overflow check. `when` narrows the overload to some ranges of the operands.

    `cost` gives the units (see `cost.py`) and `length` the greatest length of the result from the lengths of the
    operands: characters of a text, elements of a list, the size of a compiled pattern, 0 for all else.
    """

    takes: tuple[Type, ...]
    gives: Type
    code: str
    fails: bool = False
    bounds: Callable[..., Range] | None = None
    when: Callable[..., bool] | None = None
    cost: Callable[..., int] = lambda *_: 1
    length: Callable[..., int] = lambda *_: 0


def _of(units: int) -> Callable[..., int]:
    return lambda *_: units


def _first_length(a: int, *_: int) -> int:
    return a


def _shorter_compared(a: int, b: int) -> int:
    return 1 + min(a, b) // 64


def _searched(text: int, _: int) -> int:
    return 1 + text // 16


def _matched(text: int, pattern: int) -> int:
    """RE2 steps through the text once, in the worst case with all states of the pattern at once."""
    return 100 + text * (16 + pattern) // 256


def _read(text: int) -> int:
    return 20 + text // 8


def _negative(a: Range) -> Range:
    return Range(-a.high, -a.low)


def _sum(a: Range, b: Range) -> Range:
    return Range(a.low + b.low, a.high + b.high)


def _difference(a: Range, b: Range) -> Range:
    return _sum(a, _negative(b))


def _product(a: Range, b: Range) -> Range:
    return Range.spanning(a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)


def _toward_zero(a: Range, _: Range) -> Range:
    """A quotient by, or a remainder of, a positive number is no farther from 0 than the dividend."""
    return Range.spanning(a.low, a.high, 0)


def _whole_seconds(ms: Range) -> Range:
    return Range(ms.low // 1_000, ms.high // 1_000)


def _milliseconds(seconds: Range) -> Range:
    return Range(seconds.low * 1_000, seconds.high * 1_000)


def _length(*_: object) -> Range:
    """No memory holds a longer text or list."""
    return Range(0, 2**40)


def _both_positive(a: Range, b: Range) -> bool:
    return a.low >= 0 and b.low > 0


def _positive_divisor(_: Range, b: Range) -> bool:
    return b.low > 0


# Python's // and % round down; CEL's round toward zero.
_QUOTIENTS = (
    Overload((_INT, _INT), _INT, "{0} // {1}", bounds=_toward_zero, when=_both_positive),
    Overload(
        (_INT, _INT),
        _INT,
        "{0} // {1} if {0} >= 0 else -(-{0} // {1})",
        bounds=_toward_zero,
        when=_positive_divisor,
    ),
    Overload((_INT, _INT), _INT, "_quotient({0}, {1})", fails=True),
    # A double divided by zero is infinite, or NaN; Python would raise.
    Overload((_DOUBLE, _DOUBLE), _DOUBLE, "{0} / {1} if {1} else {0} * _copysign(_inf, {1})"),
)
_REMAINDERS = (
    Overload((_INT, _INT), _INT, "{0} % {1}", bounds=_toward_zero, when=_both_positive),
    Overload(
        (_INT, _INT),
        _INT,
        "{0} % {1} if {0} >= 0 else -(-{0} % {1})",
        bounds=_toward_zero,
        when=_positive_divisor,
    ),
    Overload((_INT, _INT), _INT, "_remainder({0}, {1})", fails=True),
)
_SUMS = (
    *(
        Overload((a, b), gives, "{0} + {1}", bounds=_sum)
        for a, b, gives in (
            (_INT, _INT, _INT),
            (_TIMESTAMP, _DURATION, _TIMESTAMP),
            (_DURATION, _TIMESTAMP, _TIMESTAMP),
            (_DURATION, _DURATION, _DURATION),
        )
    ),
    Overload((_DOUBLE, _DOUBLE), _DOUBLE, "{0} + {1}"),
    Overload((_STRING, _STRING), _STRING, "{0} + {1}", cost=lambda a, b: 3 + (a + b) // 64, length=lambda a, b: a + b),
)
_DIFFERENCES = (
    *(
        Overload((a, b), gives, "{0} - {1}", bounds=_difference)
        for a, b, gives in (
            (_INT, _INT, _INT),
            (_TIMESTAMP, _TIMESTAMP, _DURATION),
            (_TIMESTAMP, _DURATION, _TIMESTAMP),
            (_DURATION, _DURATION, _DURATION),
        )
    ),
    Overload((_DOUBLE, _DOUBLE), _DOUBLE, "{0} - {1}"),
    Overload((_INT,), _INT, "-{0}", bounds=_negative),
    Overload((_DOUBLE,), _DOUBLE, "-{0}"),
)
_PRODUCTS = (
    Overload((_INT, _INT), _INT, "{0} * {1}", bounds=_product),
    Overload((_DOUBLE, _DOUBLE), _DOUBLE, "{0} * {1}"),
)

# Python compares int and double by their exact values, and strings by code points, as CEL demands.
_COMPARABLE = (*((each, each) for each in SCALARS), (_INT, _DOUBLE), (_DOUBLE, _INT))


def _comparison(operator: str) -> tuple[Overload, ...]:
    return tuple(Overload(pair, _BOOL, f"{{0}} {operator} {{1}}", cost=_shorter_compared) for pair in _COMPARABLE)


# Python finds a NaN in a list by its identity; in CEL NaN equals nothing.
_IN = tuple(
    Overload(
        (a, Type.list_of(b)),
        _BOOL,
        "{0} == {0} and {0} in {1}" if a is b is _DOUBLE else "{0} in {1}",
        cost=lambda text, items: 2 + items * (1 + text // 64),
    )
    for a, b in _COMPARABLE
)


def _part(timestamp: str, low: int, high: int, duration: str | None = None) -> tuple[Overload, ...]:
    """A method that tells one part of a point of time, and perhaps one of a length of time."""
    of_timestamp = Overload((_TIMESTAMP,), _INT, timestamp, bounds=lambda _: Range(low, high), cost=_of(3))
    if duration is None:
        return (of_timestamp,)
    # Toward zero, as all division.
    code = f"{duration} if {{0}} >= 0 else -({duration.replace('{0}', '-{0}')})"
    return of_timestamp, Overload((_DURATION,), _INT, code, bounds=_toward_zero_part, cost=_of(3))


def _toward_zero_part(a: Range) -> Range:
    return Range.spanning(a.low, a.high, 0)


_DATE = "_date_of({0} // 86400000)"
_ACCESSORS = {
    "getFullYear": _part(f"{_DATE}.year", 0, 10_000),
    "getMonth": _part(f"{_DATE}.month - 1", 0, 11),
    "getDayOfYear": _part(f"{_DATE}.day_of_year - 1", 0, 365),
    "getDayOfMonth": _part(f"{_DATE}.day - 1", 0, 30),
    "getDate": _part(f"{_DATE}.day", 1, 31),
    # 1970-01-01 was a Thursday.
    "getDayOfWeek": _part("({0} // 86400000 + 4) % 7", 0, 6),
    "getHours": _part("{0} // 3600000 % 24", 0, 23, "{0} // 3600000"),
    "getMinutes": _part("{0} // 60000 % 60", 0, 59, "{0} // 60000"),
    "getSeconds": _part("{0} // 1000 % 60", 0, 59, "{0} // 1000"),
    "getMilliseconds": _part("{0} % 1000", 0, 999, "{0} % 1000"),
}

# From a point of time to the same on the clocks of a place, which the accessors then take apart: at a fixed distance
# from UTC, or by a `Zone`. No author can write them.
LOCAL_AT_OFFSET: Final = Overload(
    (_TIMESTAMP, _DURATION), _TIMESTAMP, "{0} + {1}", bounds=lambda *_: LOCAL_RANGE, cost=_of(1)
)
LOCAL_IN_ZONE: Final = Overload(
    (_TIMESTAMP, _STRING), _TIMESTAMP, "{1}.local({0})", bounds=lambda *_: LOCAL_RANGE, cost=_of(15)
)

OVERLOADS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "!": (Overload((_BOOL,), _BOOL, "not {0}"),),
    "+": _SUMS,
    "-": _DIFFERENCES,
    "*": _PRODUCTS,
    "/": _QUOTIENTS,
    "%": _REMAINDERS,
    **{operator: _comparison(operator) for operator in ("==", "!=", "<", "<=", ">", ">=")},
    "in": _IN,
    "size": tuple(
        Overload((each,), _INT, "_len({0})", bounds=_length, cost=_of(2))
        for each in (_STRING, *(each for each in Type if each.is_list))
    ),
    "contains": (Overload((_STRING, _STRING), _BOOL, "{1} in {0}", cost=_searched),),
    "startsWith": (Overload((_STRING, _STRING), _BOOL, "{0}.startswith({1})", cost=_of(5)),),
    "endsWith": (Overload((_STRING, _STRING), _BOOL, "{0}.endswith({1})", cost=_of(5)),),
    "matches": (Overload((_STRING, _STRING), _BOOL, "{1}.is_in({0})", cost=_matched),),
    **_ACCESSORS,
    "bool": (
        Overload((_BOOL,), _BOOL, "{0}"),
        Overload((_STRING,), _BOOL, "_bool_of_string({0})", fails=True, cost=_of(10)),
    ),
    "int": (
        Overload((_INT,), _INT, "{0}", bounds=lambda a: a),
        Overload((_DOUBLE,), _INT, "_int_of_double({0})", fails=True, cost=_of(10)),
        Overload((_STRING,), _INT, "_int_of_string({0})", fails=True, cost=_read),
        Overload((_TIMESTAMP,), _INT, "{0} // 1000", bounds=_whole_seconds),
    ),
    "timestamp": (
        Overload((_INT,), _TIMESTAMP, "{0} * 1000", bounds=_milliseconds),
        Overload((_TIMESTAMP,), _TIMESTAMP, "{0}", bounds=lambda a: a),
    ),
    "duration": (Overload((_DURATION,), _DURATION, "{0}", bounds=lambda a: a),),
    "double": (
        # Rounds as float() does and costs half of it.
        Overload((_INT,), _DOUBLE, "{0} * 1.0"),
        Overload((_DOUBLE,), _DOUBLE, "{0}"),
        Overload((_STRING,), _DOUBLE, "_double_of_string({0})", fails=True, cost=_read),
    ),
    "string": (
        Overload((_BOOL,), _STRING, "'true' if {0} else 'false'", length=_of(5)),
        Overload((_INT,), _STRING, "_str({0})", cost=_of(10), length=_of(20)),
        Overload((_DOUBLE,), _STRING, "_string_of_double({0})", cost=_of(80), length=_of(24)),
        Overload((_STRING,), _STRING, "{0}", length=_first_length),
        Overload((_TIMESTAMP,), _STRING, "_timestamp_text({0})", cost=_of(300), length=_of(24)),
        Overload((_DURATION,), _STRING, "_duration_text({0})", cost=_of(80), length=_of(18)),
    ),
    "distance_km": (Overload((_DOUBLE,) * 4, _DOUBLE, "_distance_km({0}, {1}, {2}, {3})", fails=True, cost=_of(80)),),
}

METHODS: Final = frozenset(("size", "contains", "startsWith", "endsWith", "matches", *_ACCESSORS))
ACCESSORS: Final = frozenset(_ACCESSORS)
FUNCTIONS: Final = frozenset(
    ("size", "matches", "bool", "int", "double", "string", "timestamp", "duration", "distance_km")
)

# What the code of the table calls by name.
CALLED: Final[Mapping[str, object]] = {
    "ERROR": ERROR,
    "_copysign": copysign,
    "_inf": inf,
    "_len": len,
    "_str": str,
    "_date_of": date_of,
    "_timestamp_text": timestamp_text,
    "_duration_text": duration_text,
    **{
        f"_{function.__name__}": function
        for function in (
            runtime.quotient,
            runtime.remainder,
            runtime.bool_of_string,
            runtime.int_of_double,
            runtime.int_of_string,
            runtime.double_of_string,
            runtime.string_of_double,
            runtime.distance_km,
        )
    },
}


def overload(function: str, types: tuple[Type, ...], ranges: tuple[Range | None, ...]) -> Overload | None:
    """The first overload that takes operands of these types and ranges."""
    for each in OVERLOADS[function]:
        if each.takes == types and (each.when is None or each.when(*ranges)):
            return each
    return None


def exact_range(chosen: Overload, ranges: tuple[Range | None, ...]) -> Range | None:
    """The range of the whole numbers that `chosen` gives, before any overflow check; None for other types."""
    return chosen.bounds(*ranges) if chosen.bounds else RANGES.get(chosen.gives)
