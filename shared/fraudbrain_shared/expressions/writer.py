"""The Python code of a checked tree: plain operators where nothing can be absent, tests only where something can.

All of it is pure and raises nothing, so it may run earlier than the author wrote it: what several expressions share is
computed ahead, and so are macros, which become loops.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fraudbrain_shared.expressions.cost import UNDECLARED_LENGTH
from fraudbrain_shared.expressions.patterns import Pattern
from fraudbrain_shared.expressions.sharing import SharedParts, in_order, names_read
from fraudbrain_shared.expressions.time_zones import Zone
from fraudbrain_shared.expressions.tree import Scalar
from fraudbrain_shared.expressions.typed_tree import Apply, Constant, Element, Form, Loop, Node, Read
from fraudbrain_shared.expressions.types import RANGES, Name, Range, Type

# Python's parser gives up at 200 nested parentheses, and a level of the tree nests up to four.
_LEVELS_PER_STATEMENT = 12

_WORDS = {"&&": "and", "||": "or"}
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_SMALL = 2**30  # a digit of CPython's ints
_SHORT_TEXT = UNDECLARED_LENGTH


@dataclass(frozen=True, slots=True)
class _Guarded:
    """Code for a value that is there only where all of `known` hold (else unknown), then all of `sound` (else error).

    The tests run in this order and before `value`; each may bind a variable for those after it. A value that
    `branches` is a comparison of kinds that CPython compares faster where it branches on the result at once.
    """

    value: str
    known: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    branches: bool = False

    @property
    def tests(self) -> str:
        return " and ".join((*self.known, *self.sound))

    @property
    def plain(self) -> str:
        """Code that yields the value, where it is there."""
        return f"(True if {self.value} else False)" if self.branches else self.value

    def whole(self) -> str:
        """Code that yields the value, None or ERROR."""
        code = self.plain
        if self.sound:
            code = f"({code} if {' and '.join(self.sound)} else ERROR)"
        if self.known:
            code = f"({code} if {' and '.join(self.known)} else None)"
        return code


class _Turn(NamedTuple):
    """What stands before a loop, what each turn of it does, and the code for the answer after it."""

    before: tuple[str, ...]
    step: tuple[str, ...]
    answer: str


class Writer:
    """Writes the code of `trees`, and statements to run before it.

    Names that are read more than once are read into a variable first; so is what trees share. `statements` are those of
    the function; `block` are those of the loop that is being written, or the same.
    """

    def __init__(self, trees: Sequence[Node]) -> None:
        self.reads = sum((names_read(tree) for tree in trees), Counter[Name]())
        self.hoisted = {read for read, times in self.reads.items() if times > 1}
        self.parts = SharedParts(trees)
        self.variables: dict[Name | int, str] = {}
        self.statements: list[str] = []
        self.block = self.statements
        self.constants: dict[str, object] = {}
        self.temporaries = 0

    @property
    def words(self) -> set[str]:
        """The identifiers in the code of all names that are read."""
        return {word for read in self.reads for word in re.findall(r"\w+", read.code)}

    def result(self, node: Node, local: str, *, is_read: bool, errors_unknown: bool) -> str:
        """Code for the value to return; it is assigned to `local` first if another expression reads that, to which an
        error is unknown."""
        code = self.code(node)
        if node.may_fail and (is_read or errors_unknown):
            value = self.assigned(code)
            code = f"(None if {value} is ERROR else {value})"
            if is_read and not errors_unknown:
                self.statements.append(f"{local} = {code}")
                return value
        if not is_read:
            return code
        self.statements.append(f"{local} = {code}")
        return local

    def code(self, node: Node) -> str:
        """Code that yields the node's value, None or ERROR."""
        number = self.parts.shared_number(node)
        if number is None:
            code = self.own_code(node)
            return self.assigned(code) if _begins_statement(node) else code
        if number not in self.variables:
            outer, self.block = self.block, self.statements
            self.variables[number] = self.assigned(self.own_code(node))
            self.block = outer
        return self.variables[number]

    def own_code(self, node: Node) -> str:
        match node:
            case Read(name=name):
                return self.read(name)
            case Form():
                return self.form(node)
            case Loop():
                return self.loop(node)
            case _:
                return self.strict(node).whole()

    def guarded(self, node: Node) -> _Guarded:
        is_variable = _begins_statement(node) or self.parts.shared_number(node) is not None
        if isinstance(node, Form | Loop) or is_variable:
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
            case Element(level=level):
                return _Guarded(_element(level))
            case Apply():
                return self.apply(node)
            case _:
                raise AssertionError(node)

    def read(self, name: Name) -> str:
        code = name.code if re.fullmatch(r"[\w.]+(?:\[\d+\])?", name.code) else f"({name.code})"
        if name not in self.hoisted or code.isidentifier():
            return code
        if name not in self.variables:
            self.variables[name] = self.temporary()
            self.statements.append(f"{self.variables[name]} = {code}")
        return self.variables[name]

    def apply(self, node: Apply) -> _Guarded:
        operands = [self.operand(node, position) for position in range(len(node.operands))]
        known = _merged(operand.known for operand in operands)
        sound = _merged(operand.sound for operand in operands)
        code = f"({_template(node).format(*(operand.value for operand in operands))})"
        if not (node.may_overflow or node.overload.fails):
            branches = _compares_fast(node) or (node.function == "!" and operands[0].branches)
            return _Guarded(code, known, sound, branches)
        variable = self.temporary()
        bound = f"({variable} := {code})"
        test = f"{bound} is not ERROR" if node.overload.fails else _range_test(bound, node.exact, RANGES[node.type])
        return _Guarded(variable, known, (*sound, test))

    def operand(self, node: Apply, position: int) -> _Guarded:
        """An operand, in a variable if the overload's code names it more than once."""
        operand = node.operands[position]
        if node.function == "in" and isinstance(operand, Constant) and isinstance(operand.value, tuple):
            return _Guarded(f"{{{', '.join(map(self.constant, operand.value))}}}")
        if node.function == "!" and operand.is_sure:
            return self.condition(operand)
        guarded = self.guarded(operand)
        is_repeated = _template(node).count(f"{{{position}}}") > 1
        if is_repeated and not (isinstance(operand, Constant) or guarded.value.isidentifier()):
            return self.tested(operand, self.assigned(guarded.whole()))
        return guarded

    def constant(self, value: Scalar | tuple[Scalar, ...] | Pattern | Zone) -> str:
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
            case "&&" | "||":
                return self.junction(node, deciding=node.form == "||")
            case "?:":
                return self.conditional(node)
            case "known":
                return f"({self.guarded(node.operands[0]).tests})"
            case "or_else":
                value = self.guarded(node.operands[0])
                return f"({value.plain} if {value.tests} else {self.code(node.operands[1])})"

    def condition(self, node: Node) -> _Guarded:
        """Code for a sure bool, to stand where Python branches on it: joined without a value in between."""
        is_variable = _begins_statement(node) or self.parts.shared_number(node) is not None
        if is_variable or not (isinstance(node, Form) and node.form in _WORDS):
            return self.guarded(node)
        return self.joined(node.form, in_order(node.operands))

    def joined(self, form: str, operands: Sequence[Node]) -> _Guarded:
        parts = [self.condition(each) for each in operands]
        code = f" {_WORDS[form]} ".join(each.value for each in parts)
        return _Guarded(f"({code})", branches=any(each.branches for each in parts))

    def junction(self, node: Form, *, deciding: bool) -> str:
        """`&&` or `||`: `deciding` if any operand is, else unknown if any is, else an error if any is.

        Sure operands come first. The one unsure operand that may follow is the answer whenever it is asked.
        """
        sure = [each for each in node.operands if each.is_sure]
        unsure = [each for each in node.operands if not each.is_sure]
        if not unsure:
            return self.joined(node.form, sure).whole()
        if len(unsure) == 1:
            rest = self.code(unsure[0])
        elif all(map(self.needs_names_only, unsure)):
            rest = self.undecided_by_names(unsure, deciding)
        else:
            rest = self.undecided(unsure, deciding)
        if not sure:
            return rest
        first = self.joined(node.form, sure).value
        return f"(True if {first} else {rest})" if deciding else f"({rest} if {first} else False)"

    def needs_names_only(self, node: Node) -> bool:
        """Has it a value wherever the names in it have one, each of which is tested in no time?"""
        if node.is_sure or isinstance(node, Read):
            return True
        is_variable = _begins_statement(node) or self.parts.shared_number(node) is not None
        is_plain = isinstance(node, Apply) and not (is_variable or node.may_fail)
        return is_plain and all(map(self.needs_names_only, node.operands))

    def undecided_by_names(self, operands: Sequence[Node], deciding: bool) -> str:
        parts = [self.guarded(each) for each in operands]
        decided = " or ".join(f"{each.tests} and {'' if deciding else 'not '}{each.value}" for each in parts)
        known = " and ".join(_merged(each.known for each in parts))
        return f"({deciding} if {decided} else {not deciding} if {known} else None)"

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
        chosen, otherwise = (self.code(each) for each in node.operands[1:])
        if node.operands[0].is_sure:
            return f"({chosen} if {self.condition(node.operands[0]).value} else {otherwise})"
        condition = self.code(node.operands[0])
        variable = self.temporary()
        return (
            f"({chosen} if ({variable} := {condition}) is True else {otherwise} if {variable} is False else {variable})"
        )

    def loop(self, node: Loop) -> str:
        """A macro, as a loop before the code, which ends as soon as an element decides."""
        listed, predicate = node.operands
        elements = self.guarded(listed)
        if elements.tests:
            elements = self.tested(listed, self.assigned(elements.whole()))
        source = f"{elements.value} if {elements.tests} else ()" if elements.tests else elements.value
        outer, self.block = self.block, []
        condition = self.condition(predicate).value if predicate.is_sure else self.code(predicate)
        turn = self.counting(condition, predicate) if node.macro == "exists_one" else self.deciding(node, condition)
        body, self.block = [*self.block, *turn.step], outer
        self.block += [*turn.before, f"for {_element(node.level)} in {source}:", *_indented(body)]
        return _Guarded(turn.answer, elements.known, elements.sound).whole()

    def deciding(self, node: Loop, condition: str) -> _Turn:
        """`exists` and `all`: as `||` and `&&` over all elements, the first that decides ends the loop."""
        answer, deciding = self.temporary(), node.macro == "exists"
        step: tuple[str, ...]
        decide = (f"    {answer} = {deciding}", "    break")
        if node.operands[1].is_sure:
            step = (f"if {'' if deciding else 'not '}{condition}:", *decide)
        else:
            found = self.temporary()
            step = (
                f"if ({found} := {condition}) is {deciding}:",
                *decide,
                f"elif {found} is not {not deciding} and {answer} is not None:",
                f"    {answer} = {found}",
            )
        return _Turn((f"{answer} = {not deciding}",), step, answer)

    def counting(self, condition: str, predicate: Node) -> _Turn:
        """`exists_one`: strict, so one element without an answer leaves the whole without one."""
        count = self.temporary()
        if predicate.is_sure:
            return _Turn((f"{count} = 0",), (f"if {condition}:", f"    {count} += 1"), f"({count} == 1)")
        found, missing = self.temporary(), self.temporary()
        step = (
            f"if ({found} := {condition}) is True:",
            f"    {count} += 1",
            f"elif {found} is not False and {missing} is not None:",
            f"    {missing} = {found}",
        )
        answer = f"({count} == 1 if {missing} is False else {missing})"
        return _Turn((f"{count} = 0", f"{missing} = False"), step, answer)

    def temporary(self) -> str:
        self.temporaries += 1
        return f"_t{self.temporaries}"

    def assigned(self, code: str) -> str:
        """A variable that a statement sets to the value of `code`."""
        variable = self.temporary()
        self.block.append(f"{variable} = {code}")
        return variable


def _template(node: Apply) -> str:
    """The overload's code, or what is faster for a constant: a slice that is compared needs no call.

    Looking for the constant anywhere takes a third of the slice, and hardly any short text holds it.
    """
    match node:
        case Apply(function="startsWith" | "endsWith", operands=(text, Constant(value=str(affix)))) if affix:
            part = f"[:{len(affix)}]" if node.function == "startsWith" else f"[-{len(affix)}:]"
            is_rare = len(affix) >= 3 and text.length <= _SHORT_TEXT
            return f"{'{1} in {0} and ' * is_rare}{{0}}{part} == {{1}}"
        case _:
            return node.overload.code


def _compares_fast(node: Apply) -> bool:
    """Is it a comparison that CPython 3.11 specializes where a branch follows: of doubles, texts, or small ints?"""
    left, right = node.operands[0], node.operands[-1]
    if node.function in ("startsWith", "endsWith"):
        return isinstance(right, Constant)
    if node.function not in _COMPARISONS or left.type is not right.type:
        return False
    match left.type:
        case Type.INT:
            numbers = [each.value for each in (left, right) if isinstance(each, Constant)]
            return all(isinstance(each, int) and abs(each) < _SMALL for each in numbers)
        case Type.STRING:
            return node.function in ("==", "!=")
        case _:
            return left.type is Type.DOUBLE


def _element(level: int) -> str:
    return f"_x{level}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


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
