"""Names, types and limits: everything that can be known of an expression before any event comes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Final

from fraudbrain_shared.expressions import tree
from fraudbrain_shared.expressions.cost import MAX_COST, UNDECLARED_ITEMS, UNDECLARED_LENGTH, cost_of
from fraudbrain_shared.expressions.functions import (
    ACCESSORS,
    FUNCTIONS,
    LOCAL_AT_OFFSET,
    LOCAL_IN_ZONE,
    METHODS,
    OVERLOADS,
    exact_range,
    overload,
)
from fraudbrain_shared.expressions.parser import MAX_MACROS, parse, walked
from fraudbrain_shared.expressions.patterns import pattern_of
from fraudbrain_shared.expressions.problems import ExpressionErrors, ExpressionProblem, Refusal, nearest
from fraudbrain_shared.expressions.time_literals import duration_ms, timestamp_ms
from fraudbrain_shared.expressions.time_zones import LOCAL_RANGE, Zone, zone_of
from fraudbrain_shared.expressions.tree import Call, ListLiteral, Macro, Scalar, Span, Syntax, dotted_path
from fraudbrain_shared.expressions.typed_tree import (
    Apply,
    Constant,
    Element,
    Form,
    FormName,
    Loop,
    MacroName,
    Node,
    Read,
)
from fraudbrain_shared.expressions.types import RANGES, Name, Range, Scope, Type


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression. `reads` are the paths of all names in it.

    `nodes` counts its operators, functions, macros, names and values as they were written; a list of literals is one.
    `cost` is the estimate of `cost.py`, in units. Where neither `may_be_unknown` nor `may_fail`, it yields a value of
    `type` for every event.
    """

    text: str
    tree: Node
    type: Type
    reads: frozenset[str]
    may_be_unknown: bool
    may_fail: bool
    nodes: int
    cost: int


def check(text: str, scope: Scope, expected: Type | None = None) -> Expression:
    """`text` as a checked expression over the names of `scope`, of type `expected` if that is given.

    Raises ExpressionErrors: a syntax error comes alone, names and types are all looked at.
    """
    syntax = parse(text)
    checker = _Checker(text, scope)
    node = checker.attempt(syntax, expected)
    if node is None:
        raise ExpressionErrors(text, checker.problems)
    cost = cost_of(node)
    if cost > MAX_COST:
        raise ExpressionErrors(text, [_too_dear(syntax.span, cost)])
    nodes = sum(1 for _ in walked(syntax))
    return Expression(text, node, node.type, frozenset(checker.reads), node.may_be_unknown, node.may_fail, nodes, cost)


def _too_dear(span: Span, cost: int) -> ExpressionProblem:
    cause = f"this may cost {cost:,} units on one event; {MAX_COST:,} are allowed"
    hint = "declare max_length and max_items of the fields it reads, or split it into derived features"
    return ExpressionProblem(span.start, span.end - span.start, cause, hint)


class _Reported(Exception):
    """An operand was refused and is in the list of problems: of what holds it nothing can be said."""


class _Checker:
    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.scope = scope
        self.problems: list[ExpressionProblem] = []
        self.reads: set[str] = set()
        self.elements: dict[str, Element] = {}  # what the macros around the present place are at, by variable
        self.level = 0

    def attempt(self, syntax: Syntax, wanted: Type | None = None) -> Node | None:
        """The node, of type `wanted` if that is given, or None once what is wrong is in the list of problems."""
        try:
            node = self.node(syntax)
            self.refuse_unwanted(node, syntax.span, wanted)
            return node
        except Refusal as refusal:
            self.problems.append(refusal.problem)
        except _Reported:
            pass
        return None

    def refuse_unwanted(self, node: Node, span: Span, wanted: Type | None) -> None:
        if wanted is None or node.type is wanted:
            return
        hint = f"write double({_snippet(self.text, span)})" if (node.type, wanted) == (Type.INT, Type.DOUBLE) else None
        raise Refusal(span, f"this is of type {node.type.value}; {wanted.value} is wanted here", hint)

    def all_of(self, many: Iterable[Syntax], wanted: Iterable[Type | None] = repeat(None)) -> tuple[Node, ...]:
        """All nodes, or _Reported once every one of them has been looked at."""
        attempts = [self.attempt(each, type_) for each, type_ in zip(many, wanted, strict=False)]
        nodes = tuple(each for each in attempts if each)
        if len(nodes) < len(attempts):
            raise _Reported
        return nodes

    def node(self, syntax: Syntax) -> Node:
        match syntax:
            case tree.Literal(value):
                return _constant(value)
            case ListLiteral():
                return self.list_of_constants(syntax)
            case Call():
                self.refuse_wrong_style(syntax)
                special = _SPECIAL.get(syntax.function)
                return special(self, syntax) if special else self.strict(syntax)
            case Macro():
                return self.loop(syntax)
            case _:
                return self.read(syntax)

    def loop(self, macro: Macro) -> Loop:
        if self.level == MAX_MACROS:
            raise Refusal(macro.span, f"more than {MAX_MACROS} macros inside each other", "split it")
        (listed,) = self.all_of((macro.operand,))
        if not listed.type.is_list:
            raise Refusal(macro.operand.span, f"{macro.function} takes a list; this is of type {listed.type.value}")
        element = Element(type=listed.type.element, range=listed.range, length=listed.item_length, level=self.level)
        outer = self.elements
        self.elements = {**outer, macro.variable: element}
        self.level += 1
        try:
            (predicate,) = self.all_of((macro.predicate,), (Type.BOOL,))
        finally:
            self.elements = outer
            self.level -= 1
        return Loop(
            type=Type.BOOL,
            may_be_unknown=listed.may_be_unknown or predicate.may_be_unknown,
            may_fail=listed.may_fail or predicate.may_fail,
            operands=(listed, predicate),
            macro=_MACROS[macro.function],
            level=self.level,
        )

    def read(self, syntax: Syntax) -> Node:
        path = dotted_path(syntax)
        if path is None:
            raise Refusal(syntax.span, "a value has no fields; only names are dotted")
        first, _, rest = path.partition(".")
        if element := self.elements.get(first):
            if rest:
                raise Refusal(syntax.span, f"{first[:80]} is an element of a list here; it has no fields")
            return element
        name = self.scope.get(path)
        if name is None:
            # Comparing names takes a while, and a hostile text is full of them.
            hint = nearest(path, list(self.scope)) if len(self.problems) < 20 else None
            raise Refusal(syntax.span, f"unknown name {path[:80]}", hint)
        self.reads.add(path)
        return _read(name)

    def list_of_constants(self, syntax: ListLiteral) -> Constant:
        elements = self.all_of(syntax.elements)
        if not elements:
            raise Refusal(syntax.span, "the list is empty: nothing is in it")
        values: list[Scalar] = []
        for element, place in zip(elements, syntax.elements, strict=True):
            if not (isinstance(element, Constant) and isinstance(element.value, Scalar)):
                raise Refusal(place.span, "a list holds constants only")
            if element.type is not elements[0].type:
                cause = f"the list mixes {elements[0].type.value} and {element.type.value}"
                raise Refusal(place.span, cause)
            values.append(element.value)
        ranges = [each.range for each in elements if each.range]
        return Constant(
            type=Type.list_of(elements[0].type),
            range=Range.spanning(*(end for each in ranges for end in each)) if ranges else None,
            length=len(values),
            item_length=max(each.length for each in elements),
            value=tuple(values),
        )

    def strict(self, call: Call) -> Apply:
        return self.apply(call, self.all_of(call.arguments))

    def apply(self, call: Call, operands: tuple[Node, ...]) -> Apply:
        ranges = tuple(each.range for each in operands)
        chosen = overload(call.function, tuple(each.type for each in operands), ranges)
        if chosen is None:
            raise self.no_overload(call, operands)
        exact = exact_range(chosen, ranges)
        range_ = exact.clamped(RANGES[chosen.gives]) if exact else None
        return Apply(
            type=chosen.gives,
            range=range_,
            may_be_unknown=any(each.may_be_unknown for each in operands),
            may_fail=chosen.fails or exact != range_ or any(each.may_fail for each in operands),
            length=chosen.length(*(each.length for each in operands)),
            operands=operands,
            function=call.function,
            overload=chosen,
            exact=exact,
        )

    def no_overload(self, call: Call, operands: tuple[Node, ...]) -> Refusal:
        name, types = call.function, [each.type for each in operands]
        counts = sorted({len(each.takes) for each in OVERLOADS[name]})
        if len(types) not in counts:
            return _wrong_count(call, counts)
        cause = f"{name} does not take {' and '.join(each.value for each in types)}"
        if set(types) == {Type.INT, Type.DOUBLE}:
            place = call.arguments[types.index(Type.INT)].span
            return Refusal(call.name_span, cause, f"write double({_snippet(self.text, place)})")
        known = dict.fromkeys(" and ".join(t.value for t in each.takes) for each in OVERLOADS[name])
        fitting = [each for each in known if each.count(" and ") == len(types) - 1]
        return Refusal(call.name_span, cause, f"it takes {'; '.join(fitting[:8])}")

    def refuse_wrong_style(self, call: Call) -> None:
        """A method is called as one, a function as one; and there is such a thing at all."""
        name, is_operator = call.function, not call.function.isidentifier() or call.function == "in"
        functions = FUNCTIONS | _SPECIAL_FUNCTIONS
        if is_operator or name in (METHODS if call.is_method else functions):
            return
        if call.is_method and name in functions:
            raise Refusal(call.name_span, f"{name} is not a method", f"write {name}(...)")
        if name in METHODS:
            raise Refusal(call.name_span, f"{name} is a method", f"write text.{name}(...)")
        kind, known = ("method", METHODS) if call.is_method else ("function", functions)
        raise Refusal(call.name_span, f"unknown {kind} {name[:80]}", nearest(name, sorted(known)))

    def one_literal(self, call: Call, position: int = 0) -> tuple[str, Span]:
        """The string literal that stands at `position` of the call's arguments."""
        found = call.arguments[position]
        if isinstance(found, tree.Literal) and isinstance(found.value, str):
            return found.value, found.span
        raise Refusal(found.span, f"{call.function} needs a string literal here")


def _junction(checker: _Checker, call: Call) -> Form:
    operands = checker.all_of(call.arguments, repeat(Type.BOOL))
    return _form("&&" if call.function == "&&" else "||", Type.BOOL, operands)


def _conditional(checker: _Checker, call: Call) -> Form:
    condition, chosen, otherwise = checker.all_of(call.arguments, (Type.BOOL, None, None))
    _refuse_different(checker, call, 1, (chosen, otherwise))
    range_ = _joined(chosen, otherwise)
    return _form("?:", chosen.type, (condition, chosen, otherwise), range_)


def _or_else(checker: _Checker, call: Call) -> Node:
    _refuse_count(call, 2)
    value, default = checker.all_of(call.arguments)
    _refuse_different(checker, call, 0, (value, default))
    return value if value.is_sure else _form("or_else", value.type, (value, default), _joined(value, default))


def _known(checker: _Checker, call: Call) -> Node:
    _refuse_count(call, 1)
    (operand,) = checker.all_of(call.arguments)
    return _constant(True) if operand.is_sure else _form("known", Type.BOOL, (operand,))


def _has(checker: _Checker, call: Call) -> Node:
    _refuse_count(call, 1)
    if not (isinstance(call.arguments[0], tree.Select) and dotted_path(call.arguments[0])):
        raise Refusal(call.arguments[0].span, "has takes a field, such as has(event.country)")
    return _known(checker, call)


def _time(checker: _Checker, call: Call) -> Node:
    _refuse_count(call, 1)
    (operand,) = checker.all_of(call.arguments)
    if operand.type is not Type.STRING:
        return checker.apply(call, (operand,))
    text, span = checker.one_literal(call)
    type_, read = (Type.TIMESTAMP, timestamp_ms) if call.function == "timestamp" else (Type.DURATION, duration_ms)
    try:
        ms = read(text)
    except ValueError as error:
        raise Refusal(span, f"not a {type_.value}", str(error)) from None
    return Constant(type=type_, range=Range(ms, ms), value=ms)


def _matches(checker: _Checker, call: Call) -> Apply:
    _refuse_count(call, 2)
    (text,) = checker.all_of(call.arguments[:1])
    pattern, span = checker.one_literal(call, 1)
    try:
        compiled = pattern_of(pattern)
    except ValueError as error:
        raise Refusal(span, "not a regular expression of RE2", str(error)) from None
    return checker.apply(call, (text, Constant(type=Type.STRING, length=compiled.size, value=compiled)))


def _accessor(checker: _Checker, call: Call) -> Apply:
    """A part of a time; of a point of time also as the clocks of a zone show it."""
    (time,) = checker.all_of(call.arguments[:1])
    if len(call.arguments) == 1:
        return checker.apply(call, (time,))
    if len(call.arguments) > 2:
        raise _wrong_count(call, [1, 2])
    if time.type is not Type.TIMESTAMP:
        raise Refusal(call.arguments[1].span, f"only a timestamp is read in a zone; this is of type {time.type.value}")
    text, span = checker.one_literal(call, 1)
    try:
        zone = zone_of(text)
    except ValueError as error:
        raise Refusal(span, "not a time zone", str(error)) from None
    return checker.apply(call, (_local(time, zone),))


def _local(time: Node, zone: Zone | int) -> Node:
    """The time that clocks in `zone` show at `time`: it may lie a day beyond the years 1 to 9999, unchecked."""
    if zone == 0:
        return time
    if isinstance(zone, int):
        chosen, constant = LOCAL_AT_OFFSET, Constant(type=Type.DURATION, value=zone)
    else:
        chosen, constant = LOCAL_IN_ZONE, Constant(type=Type.STRING, value=zone)
    return Apply(
        type=Type.TIMESTAMP,
        range=LOCAL_RANGE,
        may_be_unknown=time.may_be_unknown,
        may_fail=time.may_fail,
        operands=(time, constant),
        function="local time",
        overload=chosen,
    )


_SPECIAL: Final[Mapping[str, Callable[[_Checker, Call], Node]]] = {
    "&&": _junction,
    "||": _junction,
    "?:": _conditional,
    "or_else": _or_else,
    "known": _known,
    "has": _has,
    "timestamp": _time,
    "duration": _time,
    "matches": _matches,
    **dict.fromkeys(ACCESSORS, _accessor),
}
_MACROS: Final[Mapping[str, MacroName]] = {"exists": "exists", "all": "all", "exists_one": "exists_one"}
_SPECIAL_FUNCTIONS = frozenset(name for name in _SPECIAL if name.isidentifier()) - METHODS


def _form(name: FormName, type_: Type, operands: tuple[Node, ...], range_: Range | None = None) -> Form:
    # What stands first in or_else may be missing, for that is its purpose; known always answers.
    telling = {"known": (), "or_else": operands[1:]}.get(name, operands)
    return Form(
        type=type_,
        range=range_,
        may_be_unknown=any(each.may_be_unknown for each in telling),
        may_fail=any(each.may_fail for each in telling),
        length=max((each.length for each in operands), default=0),
        item_length=max((each.item_length for each in operands), default=0),
        operands=operands,
        form=name,
    )


_SCALAR_TYPES: Mapping[type, Type] = {bool: Type.BOOL, int: Type.INT, float: Type.DOUBLE, str: Type.STRING}


def _constant(value: Scalar) -> Constant:
    type_ = _SCALAR_TYPES[type(value)]
    range_ = Range(int(value), int(value)) if type_ is Type.INT else None
    return Constant(type=type_, range=range_, length=len(value) if isinstance(value, str) else 0, value=value)


def _read(name: Name) -> Read:
    is_list = name.type.is_list
    text_length = 0
    if (name.type.element if is_list else name.type) is Type.STRING:
        text_length = UNDECLARED_LENGTH if name.max_length is None else name.max_length
    items = UNDECLARED_ITEMS if name.max_items is None else name.max_items
    limit = RANGES.get(name.type.element if is_list else name.type)
    return Read(
        type=name.type,
        range=name.range.clamped(limit) if name.range and limit else limit,
        may_be_unknown=name.may_be_unknown,
        length=items if is_list else text_length,
        item_length=text_length if is_list else 0,
        name=name,
    )


def _joined(a: Node, b: Node) -> Range | None:
    return a.range.joined(b.range) if a.range and b.range else None


def _refuse_count(call: Call, wanted: int) -> None:
    if len(call.arguments) != wanted:
        raise _wrong_count(call, [wanted])


def _wrong_count(call: Call, wanted: list[int]) -> Refusal:
    receiver = 1 if call.is_method else 0
    numbers = " or ".join(str(each - receiver) for each in wanted)
    given = len(call.arguments) - receiver
    return Refusal(call.span, f"{call.function} takes {numbers} argument{'s' * (numbers != '1')}, not {given}")


def _refuse_different(checker: _Checker, call: Call, first: int, pair: tuple[Node, Node]) -> None:
    """Both values of a choice have one type."""
    types = [each.type for each in pair]
    if types[0] is types[1]:
        return
    cause = f"{call.function} chooses between {types[0].value} and {types[1].value}; both must have one type"
    hint = None
    if set(types) == {Type.INT, Type.DOUBLE}:
        place = call.arguments[first + types.index(Type.INT)].span
        hint = f"write double({_snippet(checker.text, place)})"
    raise Refusal(call.name_span, cause, hint)


def _snippet(text: str, span: Span) -> str:
    return text[span.start : span.end] if span.end - span.start <= 40 else "..."
