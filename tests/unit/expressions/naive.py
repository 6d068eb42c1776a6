"""A slow, obvious evaluator and random expressions for it: the judge of the compiler."""

from dataclasses import dataclass
from fractions import Fraction
from math import copysign, isfinite, isinf, isnan, nan, trunc
from typing import Any

from hypothesis import strategies as st

from fraudbrain_shared.expressions import ERROR, Name, Range, Scope, Type
from tests.unit.expressions.evaluation import MAX, MIN

TIME_LIMITS = {
    Type.INT: (MIN, MAX),
    Type.TIMESTAMP: (-62_135_596_800_000, 253_402_300_799_999),
    Type.DURATION: (-315_576_000_000_000, 315_576_000_000_000),
}


@dataclass(frozen=True)
class Tree:
    """An expression: `operator` is "literal", "name" or what the language calls it."""

    operator: str
    type: Type
    operands: tuple["Tree", ...] = ()
    value: Any = None


# --- The text, with no more parentheses than needed.

BINDING = {"?:": 0, "||": 1, "&&": 2, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "negate": 6, "!": 6}
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
BINDING |= dict.fromkeys((*COMPARISONS, "in"), 3)
METHODS = ("contains", "startsWith", "endsWith")


def text_of(tree: Tree, outer: int = 0) -> str:
    binding = BINDING.get(tree.operator, 7)
    text = _text(tree, binding)
    return f"({text})" if binding < outer else text


def _text(tree: Tree, binding: int) -> str:
    operands = tree.operands
    match tree.operator:
        case "literal":
            return literal_text(tree.value)
        case "name":
            return f"event.{tree.value}"
        case "?:":
            condition, chosen, otherwise = operands
            return f"{text_of(condition, 1)} ? {text_of(chosen)} : {text_of(otherwise)}"
        case "!":
            return f"!{text_of(operands[0], 7)}"
        case "negate":
            return f"-{text_of(operands[0], 7)}"
        case operator if operator in METHODS:
            return f"{text_of(operands[0], 7)}.{operator}({text_of(operands[1])})"
        case operator if operator in BINDING:
            return f"{text_of(operands[0], binding)} {operator} {text_of(operands[1], binding + 1)}"
        case function:
            return f"{function}({', '.join(map(text_of, operands))})"


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


# --- The value.


def evaluate(tree: Tree, event: dict[str, Any]) -> Any:
    operator = tree.operator
    if operator == "literal":
        return tree.value
    if operator == "name":
        return event[tree.value]
    values = [evaluate(each, event) for each in tree.operands]
    match operator:
        case "&&":
            return _junction(values, deciding=False)
        case "||":
            return _junction(values, deciding=True)
        case "?:":
            return values[0] if values[0] is None or values[0] is ERROR else values[1 if values[0] else 2]
        case "known" | "has":
            return values[0] is not None and values[0] is not ERROR
        case "or_else":
            return values[1] if values[0] is None or values[0] is ERROR else values[0]
    if any(value is None for value in values):
        return None
    if any(value is ERROR for value in values):
        return ERROR
    return _limited(tree.type, _strict(tree, values))


def _junction(values: list[Any], deciding: bool) -> Any:
    for answer in (deciding, None, ERROR):
        if any(value is answer for value in values):
            return answer
    return not deciding


def _limited(type_: Type, value: Any) -> Any:
    if type_ in TIME_LIMITS and value is not ERROR:
        low, high = TIME_LIMITS[type_]
        return value if low <= value <= high else ERROR
    return value


def _strict(tree: Tree, values: list[Any]) -> Any:
    first, second = values[0], values[-1]
    match tree.operator:
        case "!":
            return not first
        case "negate":
            return -first
        case "+":
            return first + second
        case "-":
            return first - second
        case "*":
            return first * second
        case "/" if tree.type is Type.INT:
            return trunc(Fraction(first, second)) if second and (first, second) != (MIN, -1) else ERROR
        case "%":
            if not second or (first, second) == (MIN, -1):
                return ERROR
            return first - second * trunc(Fraction(first, second))
        case "/":
            return _ieee_quotient(first, second)
        case "in":
            return any(_ordered("==", first, each) for each in second)
        case "size":
            return len(first)
        case "contains":
            return first.find(second) >= 0
        case "startsWith":
            return first[: len(second)] == second
        case "endsWith":
            return first[len(first) - len(second) :] == second if len(second) <= len(first) else False
        case "int":
            return _int(first)
        case "double":
            return float(first)
        case "string":
            return str(first).lower() if isinstance(first, bool) else str(first)
        case comparison:
            return _ordered(comparison, first, second)


def _ieee_quotient(a: float, b: float) -> float:
    if b:
        return a / b
    return nan if a == 0 or isnan(a) else copysign(1.0, a) * copysign(1.0, b) * float("inf")


def _int(value: Any) -> Any:
    if isinstance(value, float):
        return trunc(value) if isfinite(value) and MIN < value < 2.0**63 else ERROR
    if isinstance(value, str):
        digits = value.removeprefix("-")
        return int(value) if digits and all("0" <= each <= "9" for each in digits) else ERROR
    return value


def _ordered(comparison: str, a: Any, b: Any) -> Any:
    if any(isinstance(each, float) and isnan(each) for each in (a, b)):
        return comparison == "!="
    if not isinstance(a, str) and not any(isinstance(each, float) and isinf(each) for each in (a, b)):
        a, b = Fraction(a), Fraction(b)
    order = (a > b) - (a < b)
    return {
        "==": order == 0,
        "!=": order != 0,
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
    }[comparison]


# --- Events and trees.

FEW = Range(0, 100)
INTS = st.sampled_from((0, 1, -1, 2, 7, -7, 100, 2**53 + 1, 3_037_000_500, MAX - 1, MAX, MIN, MIN + 1)) | st.integers(
    -20, 20
)
DOUBLES = st.sampled_from((0.0, -0.0, 1.0, -2.5, 7.0, 1e300, 2.0**53, 2.0**63, -(2.0**63), 5e-324))
STRINGS = st.sampled_from(("", "a", "ab", "b", "é", "\U0001f600", "12", "-7", "\n'\"\\", "{0}"))
VALUES: dict[Type, st.SearchStrategy[Any]] = {
    Type.BOOL: st.booleans(),
    Type.INT: INTS,
    Type.DOUBLE: DOUBLES | st.sampled_from((nan, float("inf"), float("-inf"))),
    Type.STRING: STRINGS,
    Type.TIMESTAMP: st.sampled_from((0, 1_700_000_000_123, *TIME_LIMITS[Type.TIMESTAMP])),
    Type.DURATION: st.sampled_from((0, 1, -3_600_000, *TIME_LIMITS[Type.DURATION])),
}
SCALARS = tuple(VALUES)
FIELDS = {f"{type_.value}_{kind}": type_ for type_ in SCALARS for kind in ("sure", "optional", "other")}
FIELDS["few"] = Type.INT
SCOPE: Scope = {
    f"event.{field}": Name(
        path=f"event.{field}",
        type=type_,
        code=f"event[{field!r}]",
        may_be_unknown=field.endswith(("optional", "other")),
        range=FEW if field == "few" else None,
    )
    for field, type_ in FIELDS.items()
}
EVENTS = st.fixed_dictionaries(
    {
        field: st.integers(*FEW)
        if field == "few"
        else VALUES[type_] | st.none()
        if SCOPE[f"event.{field}"].may_be_unknown
        else VALUES[type_]
        for field, type_ in FIELDS.items()
    }
)
LITERALS = {Type.BOOL: st.booleans(), Type.INT: INTS, Type.DOUBLE: DOUBLES, Type.STRING: STRINGS}


@st.composite
def trees(draw: st.DrawFn, type_: Type, depth: int) -> Tree:
    """A well-typed expression of `type_`, at most `depth` operators deep."""

    def some(wanted: Type) -> Tree:
        return draw(trees(wanted, depth - 1))

    def apply(operator: str, *operands: Tree) -> Tree:
        return Tree(operator, type_, operands)

    def leaf() -> Tree:
        if type_ in LITERALS and draw(st.booleans()):
            return Tree("literal", type_, value=draw(LITERALS[type_]))
        return Tree("name", type_, value=draw(st.sampled_from([f for f, each in FIELDS.items() if each is type_])))

    def general() -> Tree:
        if draw(st.booleans()):
            return apply("?:", some(Type.BOOL), some(type_), some(type_))
        return apply("or_else", some(type_), some(type_))

    def logical() -> Tree:
        return apply(draw(st.sampled_from(("&&", "||"))), some(Type.BOOL), some(Type.BOOL))

    def compared() -> Tree:
        numbers = (Type.INT, Type.DOUBLE)
        left = draw(st.sampled_from(SCALARS))
        right = draw(st.sampled_from(numbers)) if left in numbers else left
        if right in LITERALS and draw(st.integers(0, 3)) == 0:
            listed = tuple(draw(st.lists(LITERALS[right], min_size=1, max_size=4)))
            return apply("in", some(left), Tree("literal", Type.list_of(right), value=listed))
        return apply(draw(st.sampled_from(COMPARISONS)), some(left), some(right))

    def asked() -> Tree:
        match draw(st.integers(0, 2)):
            case 0:
                return apply("!", some(Type.BOOL))
            case 1:
                return apply("known", some(draw(st.sampled_from(SCALARS))))
            case _:
                return apply(draw(st.sampled_from(METHODS)), some(Type.STRING), some(Type.STRING))

    def arithmetic() -> Tree:
        operators = "+-*/%" if type_ is Type.INT else "+-*/"
        return apply(draw(st.sampled_from(operators)), some(type_), some(type_))

    def converted() -> Tree:
        match type_:
            case Type.INT:
                kind = draw(st.sampled_from((Type.INT, Type.DOUBLE, Type.STRING)))
                return apply("negate", some(Type.INT)) if kind is Type.INT else apply("int", some(kind))
            case Type.DOUBLE:
                return apply("double", some(Type.INT)) if draw(st.booleans()) else apply("negate", some(Type.DOUBLE))
            case _:
                return apply("string", some(draw(st.sampled_from((Type.BOOL, Type.INT)))))

    def timed() -> Tree:
        time, length = Type.TIMESTAMP, Type.DURATION
        if type_ is time:
            return apply(draw(st.sampled_from("+-")), some(time), some(length))
        if draw(st.booleans()):
            return apply("-", some(time), some(time))
        return apply(draw(st.sampled_from("+-")), some(length), some(length))

    makers = {
        Type.BOOL: (logical, logical, compared, compared, asked),
        Type.INT: (arithmetic, arithmetic, converted, lambda: apply("size", some(Type.STRING))),
        Type.DOUBLE: (arithmetic, arithmetic, converted),
        Type.STRING: (lambda: apply("+", some(Type.STRING), some(Type.STRING)), converted),
    }
    choices = (leaf, general, *makers.get(type_, (timed, timed)))
    return leaf() if depth == 0 else draw(st.sampled_from(choices))()
