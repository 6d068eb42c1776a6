"""A TOML file that knows where each of its keys and values stands.

`tomllib` reads the values but forgets their places; a second pass over the same text, which
`tomllib` has found to be well formed, notes them.
"""

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from fraudbrain_shared.scenario.problems import Problem, ScenarioError

Path = tuple[str | int, ...]
"""The way to a value: keys, and indexes into arrays."""

_SYNTAX_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands: offsets into the file's text, the end not included."""

    start: int
    end: int


class TomlFile:
    """The values of one file, and the place of each. Raises ScenarioError if it is not TOML."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self._text = _decoded(name, content).replace("\r\n", "\n")
        self._lines = self._text.split("\n")
        self._starts = list(accumulate((len(line) + 1 for line in self._lines), initial=0))
        try:
            self.values = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            raise ScenarioError([self._syntax_problem(str(error))]) from error
        places = _Places(self._text)
        self._keys, self._values = places.keys, places.values

    def problem(self, path: Path, cause: str, hint: str = "", *, at_key: bool = False) -> Problem:
        """A problem with the value at `path`, or with its key; the nearest table's, if it has no place."""
        first, second = (self._keys, self._values) if at_key else (self._values, self._keys)
        while path and path not in first and path not in second:
            path = path[:-1]
        return self._problem(first.get(path) or second.get(path), cause, hint)

    def problem_inside(self, path: Path, offset: int, length: int, cause: str, hint: str = "") -> Problem:
        """A problem with `length` characters from `offset` on inside the string at `path`."""
        span = self._values.get(path)
        if span is None or self._text[span.start] not in "\"'":
            return self.problem(path, cause, hint)
        start = _offset_in_source(self._text, span, offset)
        end = _offset_in_source(self._text, span, offset + max(1, length))
        return self._problem(Span(start, max(end, start + 1)), cause, hint)

    def _problem(self, span: Span | None, cause: str, hint: str) -> Problem:
        if span is None:
            return Problem(self.name, cause, hint)
        row = bisect_right(self._starts, span.start) - 1
        line = self._lines[row]
        column = span.start - self._starts[row]
        length = min(span.end - span.start, max(1, len(line) - column))
        return Problem(self.name, cause, hint, row + 1, column + 1, line, length)

    def _syntax_problem(self, message: str) -> Problem:
        found = _SYNTAX_PLACE.search(message)
        cause = message[: found.start()] if found else message
        hint = "a name was declared twice" if "overwrite" in cause or "twice" in cause else ""
        if found is None or found[1] is None:
            return Problem(self.name, f"not valid TOML: {cause} at the end of the file", hint, len(self._lines))
        row, column = int(found[1]) - 1, int(found[2])
        line = self._lines[row] if row < len(self._lines) else ""
        return Problem(self.name, f"not valid TOML: {cause}", hint, row + 1, column, line)


def _decoded(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ScenarioError([Problem(name, "not valid UTF-8", "save the file as UTF-8", line)]) from error


_BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_DOT: Final = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")' r"|'''.*?'{3,5}(?!')" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'", re.DOTALL
)
_BARE: Final = re.compile(r"[^,\]}#\n]+")


class _Places:
    """One pass over a well-formed text: the spans of all keys and of all values."""

    def __init__(self, text: str) -> None:
        self.keys: dict[Path, Span] = {}
        self.values: dict[Path, Span] = {}
        self._text = text
        self._at = 0
        self._lengths: dict[Path, int] = {}  # of the arrays of tables, so far
        self._scan()

    def _scan(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _header(self) -> Path:
        start = self._at
        is_array = self._text.startswith("[[", start)
        self._at += 2 if is_array else 1
        self._skip(_BLANK)
        path: Path = ()
        parts = self._dotted_key()
        for part in parts[:-1]:
            path = (*path, part)
            self.keys.setdefault(path, Span(start, self._text.index("]", self._at) + 1))
            path = self._newest(path)
        path = (*path, parts[-1])
        if is_array:
            self._lengths[path] = self._lengths.get(path, 0) + 1
            path = self._newest(path)
        self._at = self._text.index("]", self._at) + (2 if is_array else 1)
        self.keys[path] = Span(start, self._at)
        return path

    def _newest(self, path: Path) -> Path:
        """The path itself or, for an array of tables, the path of its newest table."""
        return (*path, self._lengths[path] - 1) if path in self._lengths else path

    def _dotted_key(self) -> list[str]:
        parts = [self._key_part()]
        while self._skip(_DOT):
            parts.append(self._key_part())
        return parts

    def _key_part(self) -> str:
        written = self._skip(_KEY)
        if written[0] in "\"'":
            return str(tomllib.loads(f"key = {written}")["key"])
        return written

    def _pair(self, table: Path) -> None:
        start = self._at
        path = table
        for part in self._dotted_key():
            path = (*path, part)
            self.keys.setdefault(path, Span(start, self._at))
        self.keys[path] = Span(start, self._at)
        self._skip(_EQUALS)
        self._value(path)

    def _value(self, path: Path) -> None:
        start = self._at
        match self._text[start]:
            case '"' | "'":
                self._skip(_STRING)
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                self._skip(_BARE)
                self._at = start + len(self._text[start : self._at].rstrip())
        self.values[path] = Span(start, self._at)

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while not self._closed_by("]"):
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while not self._closed_by("}"):
            self._pair(path)

    def _closed_by(self, bracket: str) -> bool:
        """Goes on to the next element; true, and past the bracket, if there is none."""
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)
        if self._text[self._at] != bracket:
            return False
        self._at += 1
        return True


_LINE_END_ESCAPE: Final = re.compile(r"\\[ \t]*\n[ \t\n]*")
_ESCAPE: Final = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)


def _offset_in_source(text: str, span: Span, offset: int) -> int:
    """Where the character with index `offset` of the string's value stands in the file's text."""
    quote = text[span.start]
    is_long = text.startswith(quote * 3, span.start)
    at = span.start + (3 if is_long else 1)
    end = span.end - (3 if is_long else 1)
    if is_long and text[at] == "\n":
        at += 1
    while at < end:
        if quote == '"' and (joined := _LINE_END_ESCAPE.match(text, at)):
            at = joined.end()
            continue
        if offset <= 0:
            break
        escape = _ESCAPE.match(text, at) if quote == '"' else None
        at = escape.end() if escape else at + 1
        offset -= 1
    return at
