"""What may stand under the keys of a scenario's files: texts, numbers, durations, words, expressions, tables."""

from collections.abc import Callable, Collection, Mapping
from math import isfinite
from typing import Final, NamedTuple, TypeVar

from fraudbrain_shared.scenario.durations import milliseconds
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.table import Kind, Table, Tables, Variants

P = TypeVar("P", str, int, float, bool)
T = TypeVar("T", bound=Table)

_DESCRIBED: Final[Mapping[type, str]] = {
    bool: "true or false",
    str: "text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class ExpressionText(NamedTuple):
    """An expression that was not checked yet, and where it stands."""

    table: Table
    key: str
    text: str


def described(value: object) -> str:
    """What a value is, for a message: `text`, `a list`, or a date, which no key takes."""
    return _DESCRIBED.get(type(value), "a date or time")


def _plain(table: Table, key: str, kind: type[P]) -> P | None:
    value = table.raw(key)
    if kind is float and type(value) is int:
        return kind(value)
    if type(value) is kind:
        return value
    table.note(f"{key} must be {_DESCRIBED[kind]}, not {described(value)}", key=key)
    return None


def _text(table: Table, key: str) -> str | None:
    value = _plain(table, key, str)
    if value == "":
        table.note(f"{key} is empty", key=key)
    return value or None


def _expression(table: Table, key: str) -> ExpressionText | None:
    text = _text(table, key)
    return ExpressionText(table, key, text) if text else None


def _texts(table: Table, key: str) -> list[tuple[int, str]] | None:
    values = _list(table, key)
    if values == []:
        table.note(f"{key} is empty", key=key)
    for index, value in enumerate(values or ()):
        if not isinstance(value, str):
            table.note(f"{key} holds text, not {described(value)}", key=key, index=index)
    return None if values is None else [(at, each) for at, each in enumerate(values) if isinstance(each, str)]


def _list(table: Table, key: str) -> list[object] | None:
    value = table.raw(key)
    if isinstance(value, list):
        return value
    table.note(f"{key} must be a list, not {described(value)}", key=key)
    return None


TEXT: Final = Kind("text", _text)
SENTENCE: Final = Kind("text, also an empty one", lambda table, key: _plain(table, key, str))
FLAG: Final = Kind("true or false", lambda table, key: _plain(table, key, bool))
EXPRESSION: Final = Kind("an expression", _expression)
TEXTS: Final = Kind("a list of texts", _texts)
"""The texts with their indexes."""


def whole(low: int = -(2**63), high: int = 2**63 - 1) -> Kind[int]:
    """A whole number from `low` to `high`."""

    def read(table: Table, key: str) -> int | None:
        value = _plain(table, key, int)
        if value is None or low <= value <= high:
            return value
        fault = "does not fit in 64 bits" if not -(2**63) <= value < 2**63 else f"is {_bounds(low, high)}"
        table.note(f"{key} {fault}", key=key)
        return None

    return Kind(f"a whole number{_suffix(low, high)}", read)


def _bounds(low: int, high: int) -> str:
    return f"at least {low}" if high == 2**63 - 1 else f"from {low} to {high}"


def _suffix(low: int, high: int) -> str:
    return "" if low == -(2**63) else f", {_bounds(low, high)}"


def number(low: float | None = None, high: float | None = None) -> Kind[float]:
    """A finite number, whole or not; from `low` to `high` if these are given."""

    def is_fit(value: float) -> bool:
        return low is None or high is None or low <= value <= high

    return _number(
        "a number" if low is None else f"a number from {low:g} to {high:g}", f"is from {low} to {high}", is_fit
    )


def _number(words: str, fault: str, is_fit: Callable[[float], bool]) -> Kind[float]:
    def read(table: Table, key: str) -> float | None:
        value = _plain(table, key, float)
        if value is None or (isfinite(value) and is_fit(value)):
            return value
        table.note(f"{key} {fault if isfinite(value) else 'must be finite'}", key=key)
        return None

    return Kind(words, read)


def parsed(words: str, fault: str, parse: Callable[[str], int]) -> Kind[int]:
    """A text that `parse` makes a number of; why it cannot, its ValueError says."""

    def read(table: Table, key: str) -> int | None:
        text = _plain(table, key, str)
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            table.note(f"{key} {fault}", str(error), key=key)
            return None

    return Kind(words, read)


def _duration(table: Table, key: str) -> int | None:
    length_ms = LENGTH.read(table, key)
    if length_ms == 0:
        table.note(f"{key} must be longer than nothing", key=key)
    return length_ms or None


LENGTH: Final = parsed("a duration, also of nothing", "is no duration", milliseconds)
DURATION: Final = Kind("a duration", _duration)
WHOLE: Final = whole()
NUMBER: Final = number()
POSITIVE: Final = _number("a number above 0", "must be more than 0", lambda value: value > 0)
SHARE: Final = _number("a share: above 0, below 1", "is a share: between 0 and 1", lambda value: 0 < value < 1)


def choice(words: Collection[str], what: str = "") -> Kind[str]:
    """One of some words; in a message, a word is a `what`."""
    return Kind(" or ".join(f"`{word}`" for word in words), lambda table, key: one_of(table, key, words, what or key))


def one_of(table: Table, key: str, known: Collection[str], what: str) -> str | None:
    """The word under a key if it is known; None with a problem noted."""
    word = _plain(table, key, str)
    if word is None or word in known:
        return word
    table.note(f"unknown {what} {word}", nearest(word, known), key=key)
    return None


def table_of(table: type[T]) -> Tables[T]:
    """A table."""

    def read(outer: Table, key: str) -> T:
        value = outer.raw(key)
        if key in outer and not isinstance(value, dict):
            outer.note(f"{key} must be a table, not {described(value)}", key=key)
        return outer.under(key, table)

    return Tables("a table", read, table)


def array_of(table: type[T]) -> Tables[list[T]]:
    """An array of tables."""

    def read(outer: Table, key: str) -> list[T]:
        found = []
        for index, value in enumerate(_list(outer, key) or () if key in outer else ()):
            if isinstance(value, dict):
                found.append(outer.element(key, index, table))
            else:
                outer.note(f"{key} holds tables, not {described(value)}", key=key, index=index)
        return found

    return Tables("a list of tables", read, table, is_array=True)


def tables_of(table: type[T]) -> Tables[list[T]]:
    """A table, or an array of such tables."""
    one, many = table_of(table), array_of(table)

    def read(outer: Table, key: str) -> list[T]:
        return many.read(outer, key) if isinstance(outer.raw(key), list) else [one.read(outer, key)]

    return Tables("a table, or an array of them", read, table)


def variant(key: str, variants: Mapping[str, type[T]], what: str, later: Collection[str] = ()) -> Kind[T]:
    """A table whose class the word under `key` in it decides; words of `later` versions are known, but refused."""

    def read(outer: Table, name: str) -> T | None:
        value = outer.raw(name)
        if not isinstance(value, dict):
            outer.note(f"{name} must be a table, not {described(value)}", key=name)
            return None
        word = value.get(key)
        table = variants.get(word) if isinstance(word, str) else None
        if table is not None:
            return outer.under(name, table)
        inner = outer.under(name, Anything)
        if key not in inner:
            inner.note(f"{key} is missing", f"one of {', '.join(variants)}")
        elif word in later:
            inner.note(f"{what} {word} is not supported yet", f"supported: {', '.join(variants)}", key=key)
        else:
            one_of(inner, key, variants, what)
        return None

    return Variants("a table", read, tuple(variants.values()))


class Anything(Table):
    """A table of which nothing more is said, once something is wrong with it."""

    def _refuse_undeclared(self) -> None:
        """Nothing is declared."""
