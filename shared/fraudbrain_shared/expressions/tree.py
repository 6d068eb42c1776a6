"""The tree that an expression's text spells, before anything is known about names and types."""

from dataclasses import dataclass

Scalar = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Span:
    """Where a node stands in the text, in code points, `end` excluded."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A bool, number or string, by its value."""

    value: Scalar
    span: Span


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name, or the first part of a dotted one."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`: for us a part of a dotted name, never an attribute of a value."""

    operand: "Syntax"
    field: str
    span: Span


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """Expressions between brackets."""

    elements: tuple["Syntax", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """An operator, function or method by its name; a method's receiver is its first argument.

    A chain of `&&`, or of `||`, is one call with all its operands.
    """

    function: str
    arguments: tuple["Syntax", ...]
    span: Span
    name_span: Span
    is_method: bool = False


@dataclass(frozen=True, slots=True)
class Macro:
    """`operand.exists(x, predicate)` and the like: `variable` is each element in turn, inside `predicate` only."""

    function: str
    operand: "Syntax"
    variable: str
    predicate: "Syntax"
    span: Span
    name_span: Span


Syntax = Literal | Identifier | Select | ListLiteral | Call | Macro


def children(node: Syntax) -> tuple[Syntax, ...]:
    """The nodes right below `node`, from left to right; a dotted name has none."""
    match node:
        case ListLiteral():
            return node.elements
        case Call():
            return node.arguments
        case Macro():
            return node.operand, node.predicate
        case _:
            return ()


def dotted_path(node: Syntax) -> str | None:
    """The name that `node` spells, such as `event.amount`, or None if it is more than a name."""
    fields: list[str] = []
    while isinstance(node, Select):
        fields.append(node.field)
        node = node.operand
    return ".".join([node.name, *reversed(fields)]) if isinstance(node, Identifier) else None
