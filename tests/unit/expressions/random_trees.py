"""Well-typed expressions and events at random, from a seeded `Random`."""

from collections.abc import Callable
from math import nan
from random import Random
from typing import Any

from fraudbrain_shared.expressions import Name, Range, Scope, Type
from tests.unit.expressions.evaluation import MAX, MIN
from tests.unit.expressions.naive import TIME_LIMITS
from tests.unit.expressions.trees import COMPARISONS, DURATION_PARTS, MACROS, METHODS, NUMBERS, PARTS, Tree

FEW = Range(0, 100)
INTS = (0, 1, -1, 2, 7, -7, 100, 2**53 + 1, 3_037_000_500, MAX - 1, MAX, MIN, MIN + 1, *range(-20, 20))
DOUBLES = (0.0, -0.0, 1.0, -2.5, 7.0, 1e300, 2.0**53, 2.0**63, -(2.0**63), 5e-324, 1234567.5)
STRINGS = ("", "a", "ab", "b", "bab", "abab", "é", "\U0001f600", "12", "-7", "+3", "\n'\"\\", "{0}")
# Around changes of the clocks in Berlin, New York and on Lord Howe Island, in leap years and at the ends.
MOMENTS = (
    0,
    -1,
    1_700_000_000_123,
    1_711_846_799_999,
    1_711_846_800_000,
    1_730_613_600_500,
    1_728_142_200_000,
    951_782_400_000,
    4_102_444_799_999,
    -2_208_988_800_001,
    *TIME_LIMITS[Type.TIMESTAMP],
)
LENGTHS = (0, 1, -1, -3_600_000, 5_400_250, 86_400_000 * 366, *TIME_LIMITS[Type.DURATION])
VALUES: dict[Type, tuple[Any, ...]] = {
    Type.BOOL: (True, False),
    Type.INT: INTS,
    Type.DOUBLE: (*DOUBLES, nan, float("inf"), float("-inf")),
    Type.STRING: STRINGS,
    Type.TIMESTAMP: MOMENTS,
    Type.DURATION: LENGTHS,
}
LITERALS: dict[Type, tuple[Any, ...]] = {
    Type.BOOL: (True, False),
    Type.INT: INTS,
    Type.DOUBLE: DOUBLES,
    Type.STRING: STRINGS,
}
PATTERNS = ("a", "^a", "b$", "^.b?$", "[0-9]+", "^$", "a|é", "(ab)+")
ZONES = (None, None, "UTC", "+05:30", "-08:00", "02:00", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
SCALARS = tuple(VALUES)
LISTS = (Type.STRING_LIST, Type.INT_LIST, Type.DOUBLE_LIST)
FIELDS = {
    f"{type_.value.replace(' ', '_')}_{kind}": type_
    for type_ in (*SCALARS, *LISTS)
    for kind in ("sure", "optional", "other")
}
FIELDS["few"] = Type.INT
SCOPE: Scope = {
    f"event.{field}": Name(
        path=f"event.{field}",
        type=type_,
        code=f"event[{field!r}]",
        may_be_unknown=field.endswith(("optional", "other")),
        range=FEW if field == "few" else None,
        max_length=16,
        max_items=4,
    )
    for field, type_ in FIELDS.items()
}


def random_event(random: Random) -> dict[str, Any]:
    """A value of its type for each field, None for some of those that may be missing."""
    return {field: _field_value(random, field, type_) for field, type_ in FIELDS.items()}


def _field_value(random: Random, field: str, type_: Type) -> Any:
    if SCOPE[f"event.{field}"].may_be_unknown and random.random() < 0.25:
        return None
    if field == "few":
        return random.randint(*FEW)
    if type_.is_list:
        return tuple(random.choices(VALUES[type_.element], k=random.choice((0, 1, 1, 2, 3, 4))))
    return random.choice(VALUES[type_])


def random_tree(random: Random, type_: Type, depth: int, *, own: bool = True) -> Tree:
    """A well-typed expression of `type_`, at most `depth` operators deep; with what only our language has if `own`."""
    return _Maker(random, own).tree(type_, depth, ())


class _Maker:
    def __init__(self, random: Random, own: bool) -> None:
        self.random = random
        self.own = own

    def tree(self, type_: Type, depth: int, elements: tuple[Tree, ...]) -> Tree:
        """An expression that may use `elements`, those of the macros around it."""
        random = self.random

        def some(wanted: Type) -> Tree:
            return self.tree(wanted, depth - 1, elements)

        def any_of(*types: Type) -> Tree:
            return some(random.choice(types))

        def apply(operator: str, *operands: Tree) -> Tree:
            return Tree(operator, type_, operands)

        def leaf() -> Tree:
            fitting = [each for each in elements if each.type is type_]
            if fitting and random.random() < 0.7:
                return random.choice(fitting)
            if type_.is_list:
                return self.listed(type_)
            if type_ in LITERALS and random.random() < 0.5:
                return Tree("literal", type_, value=random.choice(LITERALS[type_]))
            return Tree("name", type_, value=random.choice([f for f, each in FIELDS.items() if each is type_]))

        def general() -> Tree:
            if self.own and random.random() < 0.5:
                return apply("or_else", some(type_), some(type_))
            return apply("?:", some(Type.BOOL), some(type_), some(type_))

        def logical() -> Tree:
            return apply(random.choice(("&&", "||")), some(Type.BOOL), some(Type.BOOL))

        def compared() -> Tree:
            left = random.choice(SCALARS)
            right = random.choice(NUMBERS) if left in NUMBERS else left
            if right in LITERALS and right is not Type.BOOL and random.random() < 0.25:
                return apply("in", some(left), self.listed(Type.list_of(right)))
            return apply(random.choice(COMPARISONS), some(left), some(right))

        def asked() -> Tree:
            match random.randrange(4 if self.own else 3):
                case 0:
                    return apply("!", some(Type.BOOL))
                case 1:
                    return apply(random.choice(METHODS), some(Type.STRING), some(Type.STRING))
                case 2:
                    return Tree("matches", type_, (some(Type.STRING),), random.choice(PATTERNS))
                case _:
                    return apply("known", any_of(*SCALARS))

        def macro() -> Tree:
            listed = some(random.choice(LISTS))
            element = Tree("element", listed.type.element, value=f"x{len(elements)}")
            predicate = self.tree(Type.BOOL, depth - 1, (*elements, element))
            return Tree(random.choice(MACROS), type_, (listed, predicate), element.value)

        def arithmetic() -> Tree:
            operators = "+-*/%" if type_ is Type.INT else "+-*/"
            return apply(random.choice(operators), some(type_), some(type_))

        def converted() -> Tree:
            match type_:
                case Type.INT:
                    kind = random.choice((Type.INT, Type.DOUBLE, Type.STRING, Type.TIMESTAMP))
                    return apply("negate" if kind is Type.INT else "int", some(kind))
                case Type.DOUBLE:
                    return apply("double", some(Type.INT)) if random.random() < 0.5 else apply("negate", some(type_))
                case _:
                    return apply("string", any_of(Type.BOOL, Type.INT))

        def part() -> Tree:
            if random.random() < 0.25:
                return apply(random.choice(DURATION_PARTS), some(Type.DURATION))
            return Tree(random.choice(PARTS), type_, (some(Type.TIMESTAMP),), random.choice(ZONES))

        def timed() -> Tree:
            time, length = Type.TIMESTAMP, Type.DURATION
            if type_ is time:
                if random.random() < 0.2:
                    return apply("timestamp", some(Type.INT))
                return apply(random.choice("+-"), some(time), some(length))
            if random.random() < 0.5:
                return apply("-", some(time), some(time))
            return apply(random.choice("+-"), some(length), some(length))

        makers: dict[Type, tuple[Callable[[], Tree], ...]] = {
            Type.BOOL: (logical, logical, compared, compared, asked, macro),
            Type.INT: (arithmetic, arithmetic, converted, part, lambda: apply("size", any_of(Type.STRING, *LISTS))),
            Type.DOUBLE: (arithmetic, arithmetic, converted),
            Type.STRING: (lambda: apply("+", some(Type.STRING), some(Type.STRING)), converted),
            **dict.fromkeys(LISTS, ()),
        }
        choices = (leaf, general, *makers.get(type_, (timed, timed)))
        return leaf() if depth == 0 else random.choice(choices)()

    def listed(self, type_: Type) -> Tree:
        """A list field where there are any of the type, or a literal."""
        fields = [field for field, each in FIELDS.items() if each is type_]
        if fields and self.random.random() < 0.6:
            return Tree("name", type_, value=self.random.choice(fields))
        values = self.random.choices(LITERALS[type_.element], k=self.random.randint(1, 4))
        return Tree("literal", type_, value=tuple(values))
