"""A TOML table while it is checked: it hands out typed values and notes what is wrong with them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, TypeVar

from fraudbrain_shared.scenario.durations import milliseconds
from fraudbrain_shared.scenario.problems import Problem, nearest
from fraudbrain_shared.scenario.toml import Path, TomlFile

T = TypeVar("T")

_KINDS: Final[Mapping[type, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


class Table:
    """One table of a file.

    Each reader returns the value of a key. Where the key is missing or its value is of another
    kind, it notes a problem and returns a harmless value, so that one reading finds all problems.
    A `default` makes a key optional. `close` notes the keys that nobody has asked for.
    """

    def __init__(self, file: TomlFile, problems: list[Problem], path: Path = ()) -> None:
        self.file: Final = file
        self.path: Final = path
        self._problems = problems
        self._asked: list[str] = []
        self._values = _table_at(file, path)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def note(self, cause: str, hint: str = "", *, key: str | None = None, at_key: bool = False) -> None:
        """Notes a problem with the value of `key` (or the key itself), or with the whole table."""
        path = self.path if key is None else (*self.path, key)
        self._problems.append(self.file.problem(path, cause, hint, at_key=at_key))

    def text(self, key: str, default: str | None = None) -> str:
        """A string; one that is required is not empty either."""
        value = self._read(key, str, "", default)
        if default is None and value == "" and key in self._values and isinstance(self._values[key], str):
            self.note(f"{key} is empty", key=key)
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number within 64 bits."""
        value = self._read(key, int, 0, default)
        if not -(2**63) <= value < 2**63:
            self.note(f"{key} does not fit in 64 bits", key=key)
            return 0
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number, whole or not."""
        value = self._read(key, float, 0.0, default)
        if not abs(value) <= 1.8e308:
            self.note(f"{key} must be finite", key=key)
            return 0.0
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """True or false."""
        return self._read(key, bool, False, default)

    def duration_ms(self, key: str, harmless: int = 1) -> int:
        """A required duration in milliseconds, not 0."""
        text = self._read(key, str, None, None)
        if text is None:
            return harmless
        try:
            length_ms = milliseconds(text)
        except ValueError as error:
            self.note(f"{key} = {text!r} is no duration", str(error), key=key)
            return harmless
        if length_ms == 0:
            self.note(f"{key} must be longer than nothing", key=key)
        return length_ms or harmless

    def choice(self, key: str, known: Collection[str], default: str | None = None) -> str | None:
        """One of the known words, or None with a problem noted."""
        word = self._read(key, str, None, default)
        if word is not None and word not in known:
            self.note(f"unknown {key} {word}", nearest(word, known), key=key)
            return None
        return word

    def texts(self, key: str) -> Iterator[tuple[int, str]]:
        """The strings of a required list, each with its index."""
        for index, value in enumerate(self._read(key, list, [], None)):
            if isinstance(value, str):
                yield index, value
            else:
                self._problems.append(self.file.problem((*self.path, key, index), f"{key} holds text only"))

    def table(self, key: str) -> "Table":
        """The table under a key; an empty one if it is missing."""
        self._read(key, dict, {}, {})
        return Table(self.file, self._problems, (*self.path, key))

    def tables(self) -> Iterator[tuple[str, "Table"]]:
        """All tables in this one by name; anything else in it is a problem."""
        for name in self._values:
            if isinstance(self._values[name], dict):
                yield name, self.table(name)
            else:
                self._asked.append(name)
                self.note(f"{name} must be a table", f"write [{name}]", key=name, at_key=True)

    def array(self, key: str) -> Iterator["Table"]:
        """The tables of an array of tables, none if the key is missing."""
        for index, value in enumerate(self._read(key, list, [], [])):
            path = (*self.path, key, index)
            if isinstance(value, dict):
                yield Table(self.file, self._problems, path)
            else:
                self._problems.append(self.file.problem(path, f"{key} holds tables only"))

    def keys(self) -> tuple[str, ...]:
        """The names in this table, in the order of the file; reading them is up to the caller."""
        return tuple(self._values)

    def value(self, key: str) -> object:
        """Whatever stands under a key, None if nothing does."""
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

    def _read(self, key: str, kind: Callable[..., T], harmless: T | None, default: T | None) -> T:  # type: ignore[type-var]
        self._asked.append(key)
        raise NotImplementedError


def _table_at(file: TomlFile, path: Path) -> Mapping[str, object]:
    value: object = file.values
    for part in path:
        value = value[part] if isinstance(value, dict | list) and _has(value, part) else {}  # type: ignore[index]
    return value if isinstance(value, dict) else {}
