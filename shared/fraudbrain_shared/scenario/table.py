"""A TOML table while it is checked: it hands out typed values and notes what is wrong with them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from math import isfinite
from typing import Final, TypeVar

from fraudbrain_shared.scenario.durations import milliseconds
from fraudbrain_shared.scenario.problems import Problem, nearest
from fraudbrain_shared.scenario.toml import Path, TomlFile

T = TypeVar("T", str, int, float, bool)
V = TypeVar("V")

_KINDS: Final[Mapping[type, str]] = {
    bool: "true or false",
    str: "text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class Table:
    """One table of a file, the whole file if no path is given.

    Each reader returns the value of a key. Where the key is missing or its value is of another
    kind, it notes a problem and returns None or something harmless, so that one reading finds all
    problems. A `default` makes a key optional. `close` notes the keys that nobody has asked for.
    """

    def __init__(self, file: TomlFile, problems: list[Problem], path: Path = ()) -> None:
        self._file = file
        self._problems = problems
        self._path = path
        self._values = _table_at(file.values, path)
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def note(
        self, cause: str, hint: str = "", *, key: str = "", index: int | None = None, at_key: bool = False
    ) -> None:
        """Notes a problem with the value of `key`, with its element or with the key itself; without
        a key, with the whole table."""
        path = self._path if not key else (*self._path, key) if index is None else (*self._path, key, index)
        self._problems.append(self._file.problem(path, cause, hint, at_key=at_key or not key))

    def note_inside(self, key: str, offset: int, length: int, cause: str, hint: str = "") -> None:
        """Notes a problem with `length` characters from `offset` on in the text under a key."""
        self._problems.append(self._file.problem_inside((*self._path, key), offset, length, cause, hint))

    def text(self, key: str, default: str | None = None) -> str:
        """A string; a required one is not empty."""
        value = self._read(key, str, default)
        if value == "" and default is None:
            self.note(f"{key} is empty", key=key)
        return value or ""

    def whole(self, key: str) -> int | None:
        """A required whole number of 64 bits; None with a problem noted."""
        value = self._read(key, int, None)
        if value is None or -(2**63) <= value < 2**63:
            return value
        self.note(f"{key} does not fit in 64 bits", key=key)
        return None

    def number(self, key: str) -> float | None:
        """A required finite number, whole or not; None with a problem noted."""
        value = self._read(key, float, None)
        if value is None or isfinite(value):
            return value
        self.note(f"{key} must be finite", key=key)
        return None

    def flag(self, key: str, *, default: bool, harmless: bool = False) -> bool:
        """True or false; `harmless` with a problem noted."""
        value = self._read(key, bool, default)
        return harmless if value is None else value

    def duration_ms(self, key: str) -> int | None:
        """A required duration in milliseconds, more than 0; None with a problem noted."""
        text = self._read(key, str, None)
        if text is None:
            return None
        try:
            length_ms = milliseconds(text)
        except ValueError as error:
            self.note(f"{key} is no duration", str(error), key=key)
            return None
        if length_ms == 0:
            self.note(f"{key} must be longer than nothing", key=key)
        return length_ms or None

    def choice(
        self, key: str, known: Collection[str], *, default: str | None = None, what: str | None = None
    ) -> str | None:
        """One of the known words; None with a problem noted, in which the word is a `what`."""
        word = self._read(key, str, default)
        if word is None or word in known:
            return word
        self.note(f"unknown {what or key} {word}", nearest(word, known), key=key)
        return None

    def optional(self, read: Callable[[str], V | None], key: str) -> V | None:
        """What `read`, a reader of this table, makes of the key; None, and no problem, if it is missing."""
        self._asked.append(key)
        return read(key) if key in self._values else None

    def texts(self, key: str) -> Iterator[tuple[int, str]]:
        """The strings of a required list, each with its index."""
        for index, value in enumerate(self._list(key, required=True)):
            if isinstance(value, str):
                yield index, value
            else:
                self.note(f"{key} holds text, not {_described(value)}", key=key, index=index)

    def table(self, key: str) -> "Table":
        """The table under a key; an empty one if it is missing."""
        self._asked.append(key)
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            self.note(f"{key} must be a table, not {_described(value)}", key=key)
        return Table(self._file, self._problems, (*self._path, key))

    def tables(self) -> Iterator[tuple[str, "Table"]]:
        """All tables in this one, by name; anything else in it is a problem."""
        for name in self._values:
            if isinstance(self._values[name], dict):
                yield name, self.table(name)
            else:
                self._asked.append(name)
                self.note(f"{name} must be a table, not {_described(self._values[name])}", key=name, at_key=True)

    def array(self, key: str) -> Iterator["Table"]:
        """The tables of an array of tables; none if the key is missing."""
        for index, value in enumerate(self._list(key)):
            if isinstance(value, dict):
                yield Table(self._file, self._problems, (*self._path, key, index))
            else:
                self.note(f"{key} holds tables, not {_described(value)}", key=key, index=index)

    def keys(self) -> tuple[str, ...]:
        """The keys in this table, in the order of the file."""
        return tuple(self._values)

    def value(self, key: str) -> object:
        """Whatever stands under a key; None if nothing does."""
        self._asked.append(key)
        return self._values.get(key)

    def ignore(self, *keys: str) -> None:
        """Accepts keys that this version does not read."""
        self._asked += keys

    def close(self) -> None:
        """Notes the keys that nobody has asked for, each with the nearest one that is known."""
        for key in self._values:
            if key not in self._asked:
                self.note(f"unknown key {key}", nearest(key, self._asked), key=key, at_key=True)

    def _read(self, key: str, kind: type[T], default: T | None) -> T | None:
        """The value; the default if there is none; None, with a problem noted, if neither will do."""
        self._asked.append(key)
        if key not in self._values:
            if default is None:
                self.note(f"{key} is missing")
            return default
        value = self._values[key]
        if kind is float and type(value) is int:
            return kind(value)
        if type(value) is kind:
            return value
        self.note(f"{key} must be {_KINDS[kind]}, not {_described(value)}", key=key)
        return None

    def _list(self, key: str, *, required: bool = False) -> list[object]:
        self._asked.append(key)
        if key not in self._values and required:
            self.note(f"{key} is missing")
        value = self._values.get(key, [])
        if isinstance(value, list):
            return value
        self.note(f"{key} must be a list, not {_described(value)}", key=key)
        return []


def _table_at(values: object, path: Path) -> Mapping[str, object]:
    """The table that a path leads to; an empty one if it leads to none."""
    for step in path:
        match values, step:
            case dict(), str() if step in values:
                values = values[step]
            case list(), int() if step < len(values):
                values = values[step]
            case _:
                return {}
    return values if isinstance(values, dict) else {}


def _described(value: object) -> str:
    """What a value is, for a message: `text`, `a list`, or a date, which no key takes."""
    return _KINDS.get(type(value), "a date or time")
