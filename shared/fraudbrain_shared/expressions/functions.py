"""The closed table of operators and functions: what each takes, what it gives, and the Python that computes it.

All of these are strict: unknown if any operand is unknown, else an error if any is one. What is not strict
(`&&`, `||`, `?:`, `has`, `known`, `or_else`) stands in the checker and the compiler.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import copysign, inf
from typing import Final

from fraudbrain_shared.expressions import runtime
from fraudbrain_shared.expressions.patterns import matches
from fraudbrain_shared.expressions.time_literals import duration_text, timestamp_text
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
    """

    takes: tuple[Type, ...]
    gives: Type
    code: str
    fails: bool = False
    bounds: Callable[..., Range] | None = None
    when: Callable[..., bool] | None = None


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
    *(Overload((each, each), each, "{0} + {1}") for each in (_DOUBLE, _STRING)),
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
    return tuple(Overload(pair, _BOOL, f"{{0}} {operator} {{1}}") for pair in _COMPARABLE)


# Python finds a NaN in a list by its identity; in CEL NaN equals nothing.
_IN = tuple(
    Overload(
        (a, Type.list_of(b)),
        _BOOL,
        "{0} == {0} and {0} in {1}" if a is b is _DOUBLE else "{0} in {1}",
    )
    for a, b in _COMPARABLE
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
        Overload((each,), _INT, "_len({0})", bounds=_length)
        for each in (_STRING, *(each for each in Type if each.is_list))
    ),
    "contains": (Overload((_STRING, _STRING), _BOOL, "{1} in {0}"),),
    "startsWith": (Overload((_STRING, _STRING), _BOOL, "{0}.startswith({1})"),),
    "endsWith": (Overload((_STRING, _STRING), _BOOL, "{0}.endswith({1})"),),
    "matches": (Overload((_STRING, _STRING), _BOOL, "_matches({1}, {0})"),),
    "int": (
        Overload((_INT,), _INT, "{0}", bounds=lambda a: a),
        Overload((_DOUBLE,), _INT, "_int_of_double({0})", fails=True),
        Overload((_STRING,), _INT, "_int_of_string({0})", fails=True),
        Overload((_TIMESTAMP,), _INT, "{0} // 1000", bounds=_whole_seconds),
    ),
    "double": (
        # Rounds as float() does and costs half of it.
        Overload((_INT,), _DOUBLE, "{0} * 1.0"),
        Overload((_DOUBLE,), _DOUBLE, "{0}"),
        Overload((_STRING,), _DOUBLE, "_double_of_string({0})", fails=True),
    ),
    "string": (
        Overload((_BOOL,), _STRING, "'true' if {0} else 'false'"),
        Overload((_INT,), _STRING, "_str({0})"),
        Overload((_DOUBLE,), _STRING, "_string_of_double({0})"),
        Overload((_STRING,), _STRING, "{0}"),
        Overload((_TIMESTAMP,), _STRING, "_timestamp_text({0})"),
        Overload((_DURATION,), _STRING, "_duration_text({0})"),
    ),
    "distance_km": (Overload((_DOUBLE,) * 4, _DOUBLE, "_distance_km({0}, {1}, {2}, {3})", fails=True),),
}

METHODS: Final = frozenset(("size", "contains", "startsWith", "endsWith", "matches"))
FUNCTIONS: Final = frozenset(("size", "matches", "int", "double", "string", "distance_km"))

# What the code of the table calls by name.
CALLED: Final[Mapping[str, object]] = {
    "ERROR": ERROR,
    "_copysign": copysign,
    "_inf": inf,
    "_len": len,
    "_str": str,
    "_matches": matches,
    "_timestamp_text": timestamp_text,
    "_duration_text": duration_text,
    **{
        f"_{function.__name__}": function
        for function in (
            runtime.quotient,
            runtime.remainder,
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
