"""From text to tokens, as the CEL specification cuts it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isinf
from typing import Literal

from fraudbrain_shared.expressions.problems import ExpressionErrors, ExpressionProblem, Refusal
from fraudbrain_shared.expressions.string_literals import string_value
from fraudbrain_shared.expressions.tree import Scalar, Span

MAX_LENGTH = 4_096


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text; `value` is what a literal means. An int may be 2^63, for the minus that saves it."""

    kind: Literal["literal", "word", "symbol", "end"]
    text: str
    span: Span
    value: Scalar = False


_TOKEN = re.compile(
    r"""
      (?P<space>(?:[ \t\r\n\f]|//[^\n]*)+)
    | (?P<string>[rRbB]{0,2}(?:
          \"{3}(?:[^\\]|\\.)*?\"{3} | '{3}(?:[^\\]|\\.)*?'{3}
        | (?!\"{3})"(?:[^"\\\r\n]|\\.)*" | (?!'{3})'(?:[^'\\\r\n]|\\.)*'))
    | (?P<double>[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?(?!\w) | [0-9]+[eE][+-]?[0-9]+(?!\w))
    | (?P<int>0x[0-9a-fA-F]+(?!\w) | [0-9]+(?!\w))
    | (?P<malformed>\.?[0-9]\w*)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<symbol>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{}])
    | (?P<open>["'].*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_INSTEAD = {"&": "write && for and", "|": "write || for or", "=": "write == to compare"}


def tokens_of(text: str) -> list[Token]:
    """All tokens of `text`, the last of kind `end`; ExpressionErrors with every piece that is none."""
    if len(text) > MAX_LENGTH:
        cause = f"the expression has {len(text):,} characters; {MAX_LENGTH:,} are allowed"
        raise ExpressionErrors(text, [ExpressionProblem(MAX_LENGTH, 1, cause, "split it into derived features")])
    problems: list[ExpressionProblem] = []
    tokens = list(_tokens(text, problems))
    if problems:
        raise ExpressionErrors(text, problems)
    return tokens


def _tokens(text: str, problems: list[ExpressionProblem]) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "space":
            continue
        try:
            yield _token(str(match.lastgroup), match[0], Span(*match.span()))
        except Refusal as refusal:
            problems.append(refusal.problem)
    yield Token("end", "", Span(len(text), len(text)))


def _token(group: str, text: str, span: Span) -> Token:
    match group:
        case "word":
            return Token("word", text, span)
        case "symbol":
            return Token("symbol", text, span)
        case "string":
            return Token("literal", text, span, string_value(text, span.start))
        case "double":
            return Token("literal", text, span, _double(text, span))
        case "int":
            return Token("literal", text, span, _int(text, span))
        case "malformed":
            raise Refusal(span, f"{_short(text)} is not a number", _number_hint(text))
        case "open":
            raise Refusal(span, "this string has no end")
        case _:
            raise Refusal(span, f"unexpected character {text!a}", _INSTEAD.get(text))


def _int(text: str, span: Span) -> int:
    """The number. Its length is looked at first, since reading n digits takes time that grows with n²."""
    hexadecimal = text.startswith("0x")
    digits = text.removeprefix("0x").lstrip("0") or "0"
    value = int(digits, 16 if hexadecimal else 10) if len(digits) <= 19 else 2**64
    if value > 2**63:
        raise Refusal(span, f"{_short(text)} does not fit into 64 bits")
    return value


def _double(text: str, span: Span) -> float:
    value = float(text)
    if isinf(value):
        raise Refusal(span, f"{_short(text)} is too large for a double")
    return value


def _number_hint(text: str) -> str | None:
    if re.fullmatch(r"[0-9]+(?:_[0-9]+)+", text):
        return f"numbers have no underscores here: write {_short(text.replace('_', ''))}"
    if re.fullmatch(r"(?:0x)?[0-9a-fA-F]+[uU]", text):
        return f"unsigned numbers are not supported: write {_short(text[:-1])}"
    return None


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."
