"""From tokens to the tree, by the grammar of the CEL specification."""

import re
from collections.abc import Iterator, Mapping

from fraudbrain_shared.expressions.lexer import Token, tokens_of
from fraudbrain_shared.expressions.problems import ExpressionErrors, Refusal
from fraudbrain_shared.expressions.tree import (
    Call,
    Identifier,
    ListLiteral,
    Literal,
    Macro,
    Select,
    Span,
    Syntax,
    children,
)

MAX_DEPTH = 64
MAX_NODES = 1_000
MAX_ELEMENTS = 1_000
MAX_MACROS = 8

# How strongly an operator binds; all of them group from the left.
_BINDING: Mapping[str, int] = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys("*/%", 5),
}
_UNARY = 6
_CHAINS = ("&&", "||")

_CONSTANTS: Mapping[str, bool] = {"true": True, "false": False}
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        "as break const continue else for function if import in let loop namespace null package return var void while",
    )
)
_MACROS = frozenset(("all", "exists", "exists_one"))
_UNSUPPORTED_MACROS: Mapping[str, str | None] = {"existsOne": "write exists_one", "filter": None, "map": None}
_WORDS_FOR_SYMBOLS: Mapping[str, str] = {"and": "&&", "or": "||", "not": "!", "is": "=="}


def parse(text: str) -> Syntax:
    """The tree of `text`, at most MAX_DEPTH deep; ExpressionErrors with the first thing that is out of place."""
    try:
        tree = _Parser(text, tokens_of(text)).whole()
        refuse_oversize(tree)
    except Refusal as refusal:
        raise ExpressionErrors(text, [refusal.problem]) from None
    return tree


class _Parser:
    """Precedence climbing. `depth` counts operators and calls inside each other, `parentheses` those: both keep
    the recursion shallow.
    """

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.position = 0
        self.depth = 1
        self.parentheses = 0

    def descend(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Refusal(self.next.span, *_TOO_DEEP)

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def whole(self) -> Syntax:
        tree = self.conditional()
        if self.next.kind != "end":
            symbol = _WORDS_FOR_SYMBOLS.get(self.next.text)
            hint = f"write {symbol}" if symbol else None
            raise self.unexpected("an operator or the end", hint)
        return tree

    def conditional(self) -> Syntax:
        condition = self.operation(0)
        if not self.accept("?"):
            return condition
        name_span = self.tokens[self.position - 1].span
        self.descend()
        chosen = self.operation(0)
        if self.next.text == "?":
            raise self.unexpected(":", "put the inner choice into parentheses")
        self.expect(":")
        otherwise = self.conditional()
        self.depth -= 1
        return Call("?:", (condition, chosen, otherwise), _around(condition, otherwise), name_span)

    def operation(self, binding: int) -> Syntax:
        """An operand and all operators after it that bind more strongly than `binding`."""
        left = self.unary()
        while _BINDING.get((operator := self.next).text, 0) > binding:
            self.position += 1
            self.descend()
            right = self.operation(_BINDING[operator.text])
            self.depth -= 1
            span = _around(left, right)
            if operator.text in _CHAINS and isinstance(left, Call) and left.function == operator.text:
                left = Call(operator.text, (*left.arguments, right), span, left.name_span)
            else:
                left = Call(operator.text, (left, right), span, operator.span)
        return left

    def unary(self) -> Syntax:
        operator = self.next
        if not (self.accept("!") or self.accept("-")):
            return self.members_of(self.primary())
        number = self.next.value
        # A minus before a number belongs to it: the lowest int could not be written otherwise.
        if operator.text == "-" and isinstance(number, int | float) and not isinstance(number, bool):
            self.position += 1
            return self.members_of(Literal(-number, Span(operator.span.start, self.previous_end)))
        self.descend()
        operand = self.operation(_UNARY)
        self.depth -= 1
        return Call(operator.text, (operand,), Span(operator.span.start, operand.span.end), operator.span)

    def members_of(self, operand: Syntax) -> Syntax:
        """`operand` and the fields and methods after it."""
        while True:
            if self.accept("."):
                operand = self.field_or_method(operand)
            elif self.next.text == "[":
                raise Refusal(self.next.span, "there is no access by index", "use x in list, or size(list)")
            elif self.next.text == "{":
                raise Refusal(self.next.span, "messages are not supported")
            else:
                return operand

    def field_or_method(self, operand: Syntax) -> Syntax:
        name = self.next
        if name.kind != "word" or name.text in ("false", "in", "null", "true"):
            raise self.unexpected("a name")
        self.position += 1
        if not self.accept("("):
            return Select(operand, name.text, Span(operand.span.start, name.span.end))
        if name.text in _UNSUPPORTED_MACROS:
            raise Refusal(name.span, f"the macro {name.text} is not supported", _UNSUPPORTED_MACROS[name.text])
        arguments = self.until(")")
        span = Span(operand.span.start, self.previous_end)
        if name.text in _MACROS:
            return _macro(name, operand, arguments, span)
        return Call(name.text, (operand, *arguments), span, name.span, is_method=True)

    def primary(self) -> Syntax:
        token = self.next
        self.position += 1
        match token.kind, token.text:
            case "literal", _:
                return self.literal(token)
            case "word", ("true" | "false") as word:
                return Literal(_CONSTANTS[word], token.span)
            case "word", _:
                return self.identifier_or_call(token)
            case "symbol", "(":
                return self.parenthesized()
            case "symbol", "[":
                elements = self.until("]")
                span = Span(token.span.start, self.previous_end)
                if len(elements) > MAX_ELEMENTS:
                    raise Refusal(span, f"the list has {len(elements):,} elements; {MAX_ELEMENTS:,} are allowed")
                return ListLiteral(elements, span)
            case "symbol", "{":
                raise Refusal(token.span, "maps are not supported")
        self.position -= 1
        raise self.unexpected("a value")

    def parenthesized(self) -> Syntax:
        self.parentheses += 1
        if self.parentheses > MAX_DEPTH:
            raise Refusal(self.next.span, *_TOO_DEEP)
        inner = self.conditional()
        self.expect(")")
        self.parentheses -= 1
        return inner

    def literal(self, token: Token) -> Literal:
        if isinstance(token.value, int) and token.value == 2**63:
            raise Refusal(token.span, f"{token.text} does not fit into 64 bits")
        return Literal(token.value, token.span)

    def identifier_or_call(self, token: Token) -> Syntax:
        if token.text in _RESERVED:
            hint = "a missing value is unknown: see has(), known() and or_else()" if token.text == "null" else None
            raise Refusal(token.span, f"{token.text} is a reserved word", hint)
        if not self.accept("("):
            return Identifier(token.text, token.span)
        arguments = self.until(")")
        return Call(token.text, arguments, Span(token.span.start, self.previous_end), token.span)

    def until(self, closing: str) -> tuple[Syntax, ...]:
        """Expressions between commas, up to `closing`; a list may end with a comma."""
        found: list[Syntax] = []
        self.descend()
        while not self.accept(closing):
            found.append(self.conditional())
            if not self.accept(","):
                self.expect(closing, f"a comma or {closing}")
                break
            if closing == ")" and self.next.text == closing:
                raise self.unexpected("a value")
        self.depth -= 1
        return tuple(found)

    @property
    def previous_end(self) -> int:
        return self.tokens[self.position - 1].span.end

    def accept(self, symbol: str) -> bool:
        found = self.next.kind == "symbol" and self.next.text == symbol
        self.position += found
        return found

    def expect(self, symbol: str, wanted: str | None = None) -> None:
        if not self.accept(symbol):
            raise self.unexpected(wanted or symbol)

    def unexpected(self, wanted: str, hint: str | None = None) -> Refusal:
        token = self.next
        found = "the end" if token.kind == "end" else token.text[:40]
        return Refusal(token.span, f"expected {wanted}, found {found}", hint)


_TOO_DEEP = (f"nested more than {MAX_DEPTH} deep", "split it into derived features")


def _around(left: Syntax, right: Syntax) -> Span:
    return Span(left.span.start, right.span.end)


def _macro(name: Token, operand: Syntax, arguments: tuple[Syntax, ...], span: Span) -> Macro:
    match arguments:
        case (Identifier(variable), predicate):
            return Macro(name.text, operand, variable, predicate, span, name.span)
        case (first, _):
            raise Refusal(first.span, "this names each element of the list: a plain name is wanted")
    raise Refusal(span, f"{name.text} takes a name and a condition", f"write list.{name.text}(x, x == ...)")


def refuse_oversize(tree: Syntax) -> None:
    """Refuse what is too deep (a long chain of + is deep without nesting) or too large."""
    for count, (node, depth) in enumerate(walked(tree), 1):
        if depth > MAX_DEPTH:
            raise Refusal(node.span, *_TOO_DEEP)
        if count > MAX_NODES:
            raise Refusal(tree.span, f"more than {MAX_NODES:,} operators, names and values", _TOO_DEEP[1])


def walked(tree: Syntax) -> Iterator[tuple[Syntax, int]]:
    """Each node and its depth, without recursion; a name is one node, and so is a list of literals."""
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        constants = isinstance(node, ListLiteral)
        waiting.extend((each, depth + 1) for each in children(node) if not (constants and isinstance(each, Literal)))
