"""Conditions of rules, evaluated by a small reader of their text: comparisons, `&&`, `||`, products and brackets.

Values are looked up by path; None is unknown, and what is compared with it is unknown, unless `&&` or `||` is
decided by the other side.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Values = Mapping[str, Any]
Condition = Callable[[Values], Any]

_TOKEN: Final = re.compile(r'\s*(?:(\|\||&&|>=|<=|==|!=|[<>()*])|([A-Za-z_][\w.]*)|(\d+)|"([^"\\]*)")')
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_END: Final = ("end", "")


def condition(text: str) -> Condition:
    """The condition in a text. Raises ValueError for what this reader does not know."""
    reader = _Reader(text)
    found = reader.any_of()
    reader.expect(_END)
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = next(self._tokens)

    def any_of(self) -> Condition:
        sides = [self._all_of()]
        while self._takes("||"):
            sides.append(self._all_of())
        return sides[0] if len(sides) == 1 else lambda values: _absorbed([each(values) for each in sides], True)

    def expect(self, token: tuple[str, str]) -> None:
        if self._next != token:
            raise ValueError(f"cannot read {self._next[1]!r} in {self._text!r}")
        self._next = next(self._tokens, _END)

    def _all_of(self) -> Condition:
        sides = [self._comparison()]
        while self._takes("&&"):
            sides.append(self._comparison())
        return sides[0] if len(sides) == 1 else lambda values: _absorbed([each(values) for each in sides], False)

    def _comparison(self) -> Condition:
        left = self._product()
        kind, text = self._next
        if kind != "sign" or text not in _COMPARE:
            return left
        self.expect(self._next)
        return _both(_COMPARE[text], left, self._product())

    def _product(self) -> Condition:
        left = self._operand()
        while self._takes("*"):
            left = _both(operator.mul, left, self._operand())
        return left

    def _operand(self) -> Condition:
        kind, text = self._next
        if self._takes("("):
            inside = self.any_of()
            self.expect(("sign", ")"))
            return inside
        self.expect(self._next)
        match kind:
            case "path":
                return lambda values: values[text]
            case "number":
                return lambda _: int(text)
            case "text":
                return lambda _: text
        raise ValueError(f"cannot read {text!r} in {self._text!r}")

    def _takes(self, sign: str) -> bool:
        if self._next != ("sign", sign):
            return False
        self.expect(self._next)
        return True


def _both(combine: Callable[[Any, Any], Any], left: Condition, right: Condition) -> Condition:
    def combined(values: Values) -> Any:
        one, other = left(values), right(values)
        return None if one is None or other is None else combine(one, other)

    return combined


def _absorbed(sides: list[Any], decisive: bool) -> Any:
    """One decisive side decides, whatever the others are."""
    if decisive in sides:
        return decisive
    return None if None in sides else not decisive


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    text = text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found.lastindex is None:
            raise ValueError(f"cannot read {text[place:]!r} in {text!r}")
        yield ("sign", "path", "number", "text")[found.lastindex - 1], found[found.lastindex]
        place = found.end()
    yield _END
