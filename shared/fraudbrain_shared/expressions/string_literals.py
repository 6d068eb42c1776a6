"""What a quoted string means: the prefixes, quotes and escapes of the CEL specification."""

import re

from fraudbrain_shared.expressions.problems import Refusal
from fraudbrain_shared.expressions.tree import Span

_PARTS = re.compile(r"""([rRbB]*)(\"{3}|'{3}|"|')(.*)\2""", re.DOTALL)
_ESCAPE = re.compile(
    r"""\\(?:(?P<simple>[abfnrtv\\?"'`])
          |[xX](?P<byte>[0-9a-fA-F]{2})
          |u(?P<short>[0-9a-fA-F]{4})
          |U(?P<long>[0-9a-fA-F]{8})
          |(?P<octal>[0-3][0-7]{2})
          |(?P<bad>.))""",
    re.VERBOSE | re.DOTALL,
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_BACKSLASH_HINT = r"write \\ for a backslash, or r'...' for a string without escapes"


def string_value(literal: str, start: int) -> str:
    """The text that `literal`, which begins at `start`, stands for; Refusal where an escape means no character."""
    parts = _PARTS.fullmatch(literal)
    assert parts, "the lexer passes whole strings only"
    prefix, body = parts[1].lower(), parts[3]
    start += parts.start(3)
    if "b" in prefix or prefix == "rr":
        raise Refusal(Span(start, start + len(body)), "bytes are not supported", "write a string without the b")
    _refuse_surrogates(body, start)
    return body if prefix == "r" else _ESCAPE.sub(lambda escape: _character(escape, start), body)


def _refuse_surrogates(body: str, start: int) -> None:
    for at, char in enumerate(body, start):
        if "\ud800" <= char <= "\udfff":
            raise Refusal(Span(at, at + 1), f"{char!a} is half a surrogate pair, not a character")


def _character(escape: re.Match[str], start: int) -> str:
    if simple := escape["simple"]:
        return _SIMPLE.get(simple, simple)
    span = Span(start + escape.start(), start + escape.end())
    if escape["bad"]:
        raise Refusal(span, f"{escape[0]} is not an escape", _BACKSLASH_HINT)
    digits = escape["byte"] or escape["short"] or escape["long"]
    code = int(digits, 16) if digits else int(escape["octal"], 8)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise Refusal(span, f"{escape[0]} is not a character of Unicode")
    return chr(code)
