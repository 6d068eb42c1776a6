"""Our rules in the words of other engines: one reading of the text, printed twice.

Names lose their dots (`event.amount` is `event_amount`): both engines read a plain name fastest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fraudbrain_shared.expressions.parser import parse
from fraudbrain_shared.expressions.tree import Call, ListLiteral, Literal, Scalar, Syntax, children, dotted_path


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an engine writes operators, functions and methods; those it does not list, it writes as we do.

    A template's `{0}`, `{1}` are the operands.
    """

    templates: Mapping[str, str]
    literal: Callable[[Scalar], str]


def plain_name(path: str) -> str:
    """The name under which other engines know a path."""
    return path.replace(".", "_")


def translated(text: str, dialect: Dialect) -> str:
    """The rule as the other engine writes it. KeyError where the dialect lacks a word."""
    return _printed(parse(text), dialect)


def node_count(text: str) -> int:
    """Operators, functions, names and constants; a chain of `&&` or `||` is one, and so is a list of constants."""
    return _count(parse(text))


def _count(node: Syntax) -> int:
    return 1 + (sum(map(_count, children(node))) if isinstance(node, Call) else 0)


def _printed(node: Syntax, dialect: Dialect) -> str:
    path = dotted_path(node)
    if path is not None:
        return plain_name(path)
    match node:
        case Literal(value=value):
            return dialect.literal(value)
        case ListLiteral(elements=elements):
            return f"[{', '.join(_printed(each, dialect) for each in elements)}]"
        case Call(function=("&&" | "||") as function, arguments=arguments):
            return f"({dialect.templates[function].join(_printed(each, dialect) for each in arguments)})"
        case Call(function=function, arguments=arguments):
            return dialect.templates[function].format(*(_printed(each, dialect) for each in arguments))
        case _:
            raise AssertionError(node)


def _quoted(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}'" if isinstance(value, str) else repr(value)


_SAME: Final = {each: f"({{0}} {each} {{1}})" for each in ("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "in")}
ZEN: Final = Dialect(
    {
        **_SAME,
        **{"&&": " and ", "||": " or ", "!": "(not {0})", "?:": "({0} ? {1} : {2})", "double": "{0}"},
        **{each: f"{each}({{0}}, {{1}})" for each in ("startsWith", "endsWith", "contains")},
    },
    _quoted,
)
CEL: Final = Dialect(
    {
        **_SAME,
        **{"&&": " && ", "||": " || ", "!": "!{0}", "?:": "({0} ? {1} : {2})", "double": "double({0})"},
        **{each: f"{{0}}.{each}({{1}})" for each in ("startsWith", "endsWith", "contains")},
    },
    _quoted,
)
