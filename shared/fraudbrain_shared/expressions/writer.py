"""The Python code of a checked tree: plain operators where nothing can be absent, tests only where something can.

All of it is pure and raises nothing, so it may run earlier than the author wrote it.
"""

import re
from collections.abc import Iterable, Sequence, Set as AbstractSet
from dataclasses import dataclass

from fraudbrain_shared.expressions.patterns import Pattern
from fraudbrain_shared.expressions.tree import Scalar
from fraudbrain_shared.expressions.typed_tree import Apply, Constant, Form, Node, Read
from fraudbrain_shared.expressions.types import RANGES, Name, Range

# Python's parser gives up at 200 nested parentheses, and a level of the tree nests up to four.
_LEVELS_PER_STATEMENT = 12


@dataclass(frozen=True, slots=True)
class _Guarded:
    """Code for a value that is there only where all of `known` hold (else unknown), then all of `sound` (else error).

    The tests run in this order and before `value`; each may bind a variable for those after it.
    """

    value: str
    known: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()

    @property
    def tests(self) -> str:
        return " and ".join((*self.known, *self.sound))

    def whole(self) -> str:
        """Code that yields the value, None or ERROR."""
        code = self.value
        if self.sound:
            code = f"({code} if {' and '.join(self.sound)} else ERROR)"
        if self.known:
            code = f"({code} if {' and '.join(self.known)} else None)"
        return code


class Writer:
    """Writes code, and statements to run before it. `hoisted` names are read into a variable, once."""

    def __init__(self, hoisted: AbstractSet[Name]) -> None:
        self.hoisted = hoisted
        self.variables: dict[Name, str] = {}
        self.statements: list[str] = []
        self.constants: dict[str, object] = {}
        self.temporaries = 0

    def result(self, node: Node, local: str, *, is_read: bool) -> str:
        """Code for the value to return; it is assigned to `local` first if another expression reads that."""
        code = self.code(node)
        if not is_read:
            return code
        if not node.may_fail:
            self.statements.append(f"{local} = {code}")
            return local
        result = self.assigned(code)
        self.statements.append(f"{local} = None if {result} is ERROR else {result}")
        return result

    def code(self, node: Node) -> str:
        """Code that yields the node's value, None or ERROR."""
        match node:
            case Read(name=name):
                return self.read(name)
            case Form():
                code = self.form(node)
            case _:
                code = self.strict(node).whole()
        return self.assigned(code) if _begins_statement(node) else code

    def guarded(self, node: Node) -> _Guarded:
        if isinstance(node, Form) or _begins_statement(node):
            return self.tested(node, self.code(node))
        return self.strict(node)

    def tested(self, node: Node, code: str) -> _Guarded:
        """The value of `code`, which yields None or ERROR where `node` may, under the tests for these."""
        if node.is_sure:
            return _Guarded(code)
        variable, bound = code, code
        if not code.isidentifier():
            variable = self.temporary()
            bound = f"({variable} := {code})"
        known = (f"{bound} is not None",) if node.may_be_unknown else ()
        sound = (f"{variable if known else bound} is not ERROR",) if node.may_fail else ()
        return _Guarded(variable, known, sound)

    def strict(self, node: Node) -> _Guarded:
        match node:
            case Constant(value=value):
                return _Guarded(self.constant(value))
            case Read(name=name):
                return self.tested(node, self.read(name))
            case Apply():
                return self.apply(node)
            case _:
                raise AssertionError(node)

    def read(self, name: Name) -> str:
        code = name.code if re.fullmatch(r"[\w.]+(?:\[\d+\])?", name.code) else f"({name.code})"
        if name not in self.hoisted or code.isidentifier():
            return code
        if name not in self.variables:
            self.variables[name] = self.assigned(code)
        return self.variables[name]

    def apply(self, node: Apply) -> _Guarded:
        operands = [self.operand(node, position) for position in range(len(node.operands))]
        known = _merged(operand.known for operand in operands)
        sound = _merged(operand.sound for operand in operands)
        code = f"({node.overload.code.format(*(operand.value for operand in operands))})"
        if not (node.may_overflow or node.overload.fails):
            return _Guarded(code, known, sound)
        variable = self.temporary()
        bound = f"({variable} := {code})"
        test = f"{bound} is not ERROR" if node.overload.fails else _range_test(bound, node.exact, RANGES[node.type])
        return _Guarded(variable, known, (*sound, test))

    def operand(self, node: Apply, position: int) -> _Guarded:
        """An operand, in a variable if the overload's code names it more than once."""
        operand = node.operands[position]
        if node.function == "in" and isinstance(operand, Constant) and isinstance(operand.value, tuple):
            return _Guarded(f"{{{', '.join(map(self.constant, operand.value))}}}")
        guarded = self.guarded(operand)
        is_repeated = node.overload.code.count(f"{{{position}}}") > 1
        if is_repeated and not (isinstance(operand, Constant) or guarded.value.isidentifier()):
            return self.tested(operand, self.assigned(guarded.whole()))
        return guarded

    def constant(self, value: Scalar | tuple[Scalar, ...] | Pattern) -> str:
        match value:
            case bool() | str():
                return ascii(value)
            case int() | float():
                return f"({value!r})" if repr(value).startswith("-") else repr(value)
            case tuple():
                return f"({''.join(f'{self.constant(each)}, ' for each in value)})"
            case _:
                variable = f"_k{len(self.constants)}"
                self.constants[variable] = value
                return variable

    def form(self, node: Form) -> str:
        match node.form:
            case "&&":
                return self.junction(node, word="and", deciding=False)
            case "||":
                return self.junction(node, word="or", deciding=True)
            case "?:":
                return self.conditional(node)
            case "known":
                return f"({self.guarded(node.operands[0]).tests})"
            case "or_else":
                value = self.guarded(node.operands[0])
                return f"({value.value} if {value.tests} else {self.code(node.operands[1])})"

    def junction(self, node: Form, *, word: str, deciding: bool) -> str:
        """`&&` or `||`: `deciding` if any operand is, else unknown if any is, else an error if any is.

        Sure operands come first. The one unsure operand that may follow is the answer whenever it is asked.
        """
        parts = [self.code(each) for each in node.operands if each.is_sure]
        unsure = [each for each in node.operands if not each.is_sure]
        if unsure:
            parts.append(self.code(unsure[0]) if len(unsure) == 1 else self.undecided(unsure, deciding))
        return f"({f' {word} '.join(parts)})"

    def undecided(self, operands: Sequence[Node], deciding: bool) -> str:
        variables = {self.temporary(): each for each in operands}
        answer = str(not deciding)
        if failing := [variable for variable, each in variables.items() if each.may_fail]:
            answer = f"ERROR if {' or '.join(f'{each} is ERROR' for each in failing)} else {answer}"
        if missing := [variable for variable, each in variables.items() if each.may_be_unknown]:
            answer = f"None if {' or '.join(f'{each} is None' for each in missing)} else {answer}"
        decided = " or ".join(f"({name} := {self.code(each)}) is {deciding}" for name, each in variables.items())
        return f"({deciding} if {decided} else {answer})"

    def conditional(self, node: Form) -> str:
        condition, chosen, otherwise = (self.code(each) for each in node.operands)
        if node.operands[0].is_sure:
            return f"({chosen} if {condition} else {otherwise})"
        variable = self.temporary()
        return (
            f"({chosen} if ({variable} := {condition}) is True else {otherwise} if {variable} is False else {variable})"
        )

    def temporary(self) -> str:
        self.temporaries += 1
        return f"_t{self.temporaries}"

    def assigned(self, code: str) -> str:
        """A variable that a statement sets to the value of `code`."""
        variable = self.temporary()
        self.statements.append(f"{variable} = {code}")
        return variable


def _begins_statement(node: Node) -> bool:
    return node.height % _LEVELS_PER_STATEMENT == 0


def _merged(tests: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """All tests in order, none twice."""
    return tuple(dict.fromkeys(each for some in tests for each in some))


def _range_test(bound: str, exact: Range | None, limit: Range) -> str:
    """The test that an exact result in the range `exact` keeps the limit, at the ends where it may not."""
    if exact is None or (exact.low < limit.low and exact.high > limit.high):
        return f"{limit.low} <= {bound} <= {limit.high}"
    return f"{bound} <= {limit.high}" if exact.high > limit.high else f"{bound} >= {limit.low}"
