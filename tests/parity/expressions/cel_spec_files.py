"""Read the standard's conformance cases: files of the text format of Protocol Buffers, into plain dictionaries."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

Message = dict[str, list["Value"]]
Value = Message | str | bytes

_UNICODE_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|.)")
_TOKEN = re.compile(
    r"""(?:\s|\#[^\n]*)*(?:
        (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<word>\[[\w./]+\]|[-+]?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?\w*|[-+]?[\w.]+)
      | (?P<symbol>[{}<>:,;\[\]])
      | (?P<end>$))""",
    re.VERBOSE,
)


class SpecCase(NamedTuple):
    """One test of the standard: where it stands, and what it says."""

    name: str
    fields: Message

    def text(self, field: str) -> str:
        """A field that is text, or the empty text."""
        for value in self.fields.get(field, []):
            return value.decode() if isinstance(value, bytes) else str(value)
        return ""


def read_cases(folder: Path) -> Iterator[SpecCase]:
    """All cases of a checkout of the specification."""
    for path in sorted(folder.glob("tests/simple/testdata/*.textproto")):
        file = _message(_tokens(path.read_text()))
        for section in messages(file, "section"):
            for test in messages(section, "test"):
                names = [path.stem, *(_text(each["name"]) for each in (section, test))]
                yield SpecCase("/".join(names), test)


def messages(message: Message, field: str) -> list[Message]:
    """All messages under a field."""
    return [each for each in message.get(field, []) if isinstance(each, dict)]


def _text(values: list[Value]) -> str:
    (value,) = values
    assert isinstance(value, bytes)
    return value.decode()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while match := _TOKEN.match(text, at):
        yield str(match.lastgroup), match[str(match.lastgroup)]
        at = match.end()
        if match.lastgroup == "end":
            return
    raise ValueError(f"unexpected {text[at : at + 20]!r}")


def _message(tokens: Iterator[tuple[str, str]], end: str = "") -> Message:
    """Fields up to the token `end`; strings become bytes, other scalars stay words."""
    found: Message = {}
    kind, token = next(tokens)
    while token != end:
        if kind == "symbol" and token in ",;":
            kind, token = next(tokens)
            continue
        name = token
        kind, token = next(tokens)
        if token == ":":
            kind, token = next(tokens)
        if token in ("{", "<"):
            value: Value = _message(tokens, {"{": "}", "<": ">"}[token])
            kind, token = next(tokens)
        elif kind == "string":
            value = b""
            while kind == "string":
                value += _string(token)
                kind, token = next(tokens)
        else:
            value = token
            kind, token = next(tokens)
        found.setdefault(name, []).append(value)
    return found


def _string(token: str) -> bytes:
    written = _UNICODE_ESCAPE.sub(
        lambda each: chr(int(each[1] or each[2], 16)) if each[1] or each[2] else each[0], token
    )
    return codecs.escape_decode(written[1:-1].encode())[0]
