"""TOML tables whose keys are declared once: the declarations read a scenario's files and make its reference page."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final, Generic, Self, TypeVar, cast, overload

from fraudbrain_shared.scenario.problems import Problem, nearest
from fraudbrain_shared.scenario.toml import Path, TomlFile

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)
T = TypeVar("T", bound="Table")


class Table:
    """One table of a file, the whole file if no path is given.

    A subclass declares the keys of such a table, each as a class attribute made by `required`, `allowed`,
    `defaulting` or `inside`; read as an attribute of an instance, a key gives its value. Where the key is
    missing or its value is of another kind, a problem is noted and something harmless given, so that one
    reading finds all problems. Keys that are not declared are problems at once.
    """

    keys: ClassVar[Mapping[str, "Key[object]"]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        inherited = {name: each for base in cls.__bases__ for name, each in getattr(base, "keys", {}).items()}
        cls.keys = inherited | {name: each for name, each in vars(cls).items() if isinstance(each, Key)}

    def __init__(self, file: TomlFile, problems: list[Problem], path: Path = ()) -> None:
        self._file = file
        self._problems = problems
        self._path = path
        self._values = _table_at(file.values, path)
        self._known: dict[str, object] = {}
        self._refuse_undeclared()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    @property
    def names(self) -> tuple[str, ...]:
        """The keys that stand in this table, in the order of the file."""
        return tuple(self._values)

    def raw(self, key: str) -> object:
        """Whatever stands under a key; None if nothing does."""
        return self._values.get(key)

    def once(self, key: str, value: Callable[["Table", str], V]) -> V:
        """The value of a key: read when it is first asked for, so that a problem is noted once."""
        if key not in self._known:
            self._known[key] = value(self, key)
        return cast(V, self._known[key])

    def under(self, key: str, table: type[T]) -> T:
        """The table under a key; an empty one if it is missing."""
        return table(self._file, self._problems, (*self._path, key))

    def element(self, key: str, index: int, table: type[T]) -> T:
        """A table of the array of tables under a key."""
        return table(self._file, self._problems, (*self._path, key, index))

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

    def refuse(self, keys: Iterable[str], cause: str, hint: str = "") -> None:
        """Notes a problem with each of `keys` that is there; the cause says {key} for it."""
        for key in keys:
            if key in self:
                self.note(cause.format(key=key), hint, key=key, at_key=True)

    def _refuse_undeclared(self) -> None:
        for key in self._values:
            if key not in self.keys:
                self.note(f"unknown key {key}", nearest(key, self.keys), key=key, at_key=True)


@dataclass(frozen=True)
class Kind(Generic[V_co]):
    """What may stand under a key. `read` gives it, or notes a problem and gives None; `words` say it to people."""

    words: str
    read: Callable[[Table, str], V_co | None]


@dataclass(frozen=True)
class Tables(Kind[V_co]):
    """A table, or an array of them, of one class; where the key is missing, an empty one or none."""

    read: Callable[[Table, str], V_co]
    table: type[Table]
    is_array: bool = False


@dataclass(frozen=True)
class Variants(Kind[V_co]):
    """A table of one of several classes."""

    tables: tuple[type[Table], ...]


class Key(Generic[V]):
    """A declared key: an attribute of its table that is read once, and a line of the reference page.

    `meaning` is what people are told, `example` a value in TOML, `default` what a missing key stands for.
    """

    name = ""

    def __init__(
        self, kind: Kind[object], meaning: str, example: str, default: str, value: Callable[[Table, str], V]
    ) -> None:
        self.kind: Final = kind
        self.meaning: Final = meaning
        self.example: Final = example
        self.default: Final = default
        self._value = value

    def __set_name__(self, owner: type[Table], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, table: None, owner: type[Table]) -> Self: ...

    @overload
    def __get__(self, table: Table, owner: type[Table]) -> V: ...

    def __get__(self, table: Table | None, owner: type[Table]) -> Self | V:
        return self if table is None else table.once(self.name, self._value)


def required(kind: Kind[V], meaning: str, example: str, *, when: str = "") -> Key[V | None]:
    """A key that must be there, at least `when` something holds: else the reader does not ask for it."""
    return Key(kind, meaning, example, f"required {when}".strip(), partial(present, kind))


def allowed(kind: Kind[V], meaning: str, example: str, *, default: str = "none") -> Key[V | None]:
    """A key that may be missing, which `default` explains; None then, or with a problem."""
    return Key(kind, meaning, example, default, lambda table, key: kind.read(table, key) if key in table else None)


def defaulting(
    kind: Kind[V], otherwise: V, meaning: str, example: str, *, default: str = "", faulty: V | None = None
) -> Key[V]:
    """A key that stands for `otherwise` if it is missing; with a problem for `faulty`, if that is given."""

    def value(table: Table, key: str) -> V:
        if key not in table:
            return otherwise
        found = kind.read(table, key)
        return found if found is not None else otherwise if faulty is None else faulty

    return Key(kind, meaning, example, default or str(otherwise).lower(), value)


def inside(kind: Tables[V], meaning: str) -> Key[V]:
    """A key for tables."""
    return Key(kind, meaning, "", "empty", kind.read)


def present(kind: Kind[V], table: Table, key: str) -> V | None:
    """The value of a key that must be there, read as a kind; None with a problem noted."""
    if key in table:
        return kind.read(table, key)
    table.note(f"{key} is missing")
    return None


class Names(Table, Generic[V]):
    """A table whose keys are names that the author gives, each with an `entry` of one kind; `called` is what
    a name stands for, such as `<field>`, and `example` such an entry in TOML, if it is a plain one."""

    entry: Kind[V]
    called: ClassVar[str]
    example: ClassVar[str] = ""

    def entries(self) -> Mapping[str, V]:
        """Names and values in the order of the file; those with a problem, which is noted, are left out."""
        return self.once(self.called, lambda table, called: self._entries())

    def _entries(self) -> dict[str, V]:
        read = {name: self.entry.read(self, name) for name in self.names}
        return {name: value for name, value in read.items() if value is not None}

    def _refuse_undeclared(self) -> None:
        """Any name may be given."""


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
