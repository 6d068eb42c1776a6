"""The types of expressions, the whole numbers they hold, and the names that an expression may read."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Self


class Type(Enum):
    """The type of an expression, known before any event comes.

    At run time BOOL is `bool`, DOUBLE `float`, STRING `str`, a list a `tuple` or `list`; INT is an `int` of
    signed 64 bits, TIMESTAMP an `int` of milliseconds since 1970 UTC, DURATION an `int` of milliseconds.
    """

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    BOOL_LIST = "list of bool"
    INT_LIST = "list of int"
    DOUBLE_LIST = "list of double"
    STRING_LIST = "list of string"
    TIMESTAMP_LIST = "list of timestamp"
    DURATION_LIST = "list of duration"

    @classmethod
    def list_of(cls, element: "Type") -> "Type":
        """The type of lists of `element`, which is no list itself (else ValueError)."""
        return cls(f"list of {element.value}")

    @property
    def is_list(self) -> bool:
        return self.value.startswith("list of ")

    @property
    def element(self) -> "Type":
        """The type of what a list of this type holds; ValueError for other types."""
        if not self.is_list:
            raise ValueError(f"{self.value} is no list")
        return Type(self.value.removeprefix("list of "))


SCALARS = tuple(each for each in Type if not each.is_list)


class Range(NamedTuple):
    """The whole numbers from `low` to `high`, both included."""

    low: int
    high: int

    @classmethod
    def spanning(cls, *numbers: int) -> Self:
        """The smallest range that holds all of `numbers`."""
        return cls(min(numbers), max(numbers))

    def joined(self, other: "Range") -> "Range":
        """The smallest range that holds both."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    def within(self, other: "Range") -> bool:
        return other.low <= self.low and self.high <= other.high

    def clamped(self, limit: "Range") -> "Range":
        """What is left of this range where `limit` cuts it."""
        return Range(min(max(self.low, limit.low), limit.high), max(min(self.high, limit.high), limit.low))


# Timestamps span the years 1 to 9999; durations have as many nanoseconds as fit into 64 bits, 292 years either way.
# CEL specification, "Overflow".
RANGES: Mapping[Type, Range] = {
    Type.INT: Range(-(2**63), 2**63 - 1),
    Type.TIMESTAMP: Range(-62_135_596_800_000, 253_402_300_799_999),
    Type.DURATION: Range(-9_223_372_036_854, 9_223_372_036_854),
}


@dataclass(frozen=True, slots=True)
class Name:
    """Something an expression may read.

    `code` is the Python expression that reads it inside the generated function: pure, cheap and never
    raising, for it may be read earlier than the author's `&&` suggests, or once for several rules.
    It yields a value of `type`, or None where `may_be_unknown`. A promised `range` of whole numbers, such
    as a field's declared bounds, saves the overflow checks that it makes needless; of a list it bounds the elements.
    `max_length` is the greatest number of characters of a text, or of each text in a list, and `max_items` that of
    elements of a list: the cost of an expression is estimated by them.
    """

    path: str
    type: Type
    code: str
    may_be_unknown: bool = False
    range: Range | None = None
    max_length: int | None = None
    max_items: int | None = None


Scope = Mapping[str, Name]
