"""Expressions as trees, and their text with no more parentheses than needed."""

from dataclasses import dataclass
from typing import Any

from fraudbrain_shared.expressions import Type


@dataclass(frozen=True)
class Tree:
    """An expression: `operator` is "literal", "name", "element" or what the language calls it.

    `value` is that of a literal, the name of a field or an element, a macro's variable or an accessor's time zone.
    """

    operator: str
    type: Type
    operands: tuple["Tree", ...] = ()
    value: Any = None


BINDING = {"?:": 0, "||": 1, "&&": 2, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "negate": 6, "!": 6}
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
BINDING |= dict.fromkeys((*COMPARISONS, "in"), 3)
METHODS = ("contains", "startsWith", "endsWith")
MACROS = ("exists", "all", "exists_one")
TIMESTAMP_PARTS = ("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear")
DURATION_PARTS = ("getHours", "getMinutes", "getSeconds", "getMilliseconds")
PARTS = (*TIMESTAMP_PARTS, *DURATION_PARTS)
NUMBERS = (Type.INT, Type.DOUBLE)


def text_of(tree: Tree, outer: int = 0, *, dyn: bool = False) -> str:
    """The text; with `dyn`, fields stand alone, and int and double are compared as the strict checkers want it."""
    is_negative = tree.operator == "literal" and literal_text(tree.value).startswith("-")
    binding = BINDING["negate"] if is_negative else BINDING.get(tree.operator, 7)
    text = _text(tree, binding, dyn)
    return f"({text})" if binding < outer else text


def _text(tree: Tree, binding: int, dyn: bool) -> str:
    def of(position: int, outer: int = 0) -> str:
        return text_of(tree.operands[position], outer, dyn=dyn)

    match tree.operator:
        case "literal":
            return literal_text(tree.value)
        case "name":
            return tree.value if dyn else f"event.{tree.value}"
        case "element":
            return str(tree.value)
        case "?:":
            return f"{of(0, 1)} ? {of(1, 1)} : {of(2)}"
        case "!":
            return f"!{of(0, 7)}"
        case "negate":
            return f"-{of(0, 7)}"
        case "matches":
            return f"{of(0, 7)}.matches({literal_text(tree.value)})"
        case operator if operator in METHODS:
            return f"{of(0, 7)}.{operator}({of(1)})"
        case operator if operator in PARTS:
            zone = literal_text(tree.value) if tree.value else ""
            return f"{of(0, 7)}.{operator}({zone})"
        case operator if operator in MACROS:
            return f"{of(0, 7)}.{operator}({tree.value}, {of(1)})"
        case operator if dyn and operator in (*COMPARISONS, "in") and _is_mixed(tree):
            return f"dyn({of(0)}) {operator} {of(1, binding + 1)}"
        case operator if operator in BINDING:
            return f"{of(0, binding)} {operator} {of(1, binding + 1)}"
        case function:
            return f"{function}({', '.join(of(position) for position in range(len(tree.operands)))})"


def _is_mixed(tree: Tree) -> bool:
    left, right = (each.type for each in tree.operands)
    return left is not (right.element if right.is_list else right)


def literal_text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in value) + '"'
        case tuple():
            return f"[{', '.join(map(literal_text, value))}]"
        case _:
            return repr(value)
