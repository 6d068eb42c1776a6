"""Google's implementation of CEL in C++ as a judge of ours: the same value, or none in both.

A missing value is an error there. Comparisons of int with double are handed to it through `dyn`, and our own functions
not at all. It departs from the specification in three places, and what comes to one of them is passed over:

- The first moment of the year 1 is refused as the value of a variable, though it is read as a literal and yielded:
  variables have the next millisecond here.
- An int beyond 2^53 is rounded before it is compared with a double. The specification puts both on one
  number line (langdef.md, "Equality" and "Ordering").
- The difference of two timestamps overflows within a second of what a duration holds.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from cel_expr_python import cel  # type: ignore[import-untyped]

from fraudbrain_shared.expressions import ERROR, Type, check, compile_function
from fraudbrain_shared.expressions.types import RANGES
from tests.unit.expressions.naive import evaluate
from tests.unit.expressions.random_trees import FIELDS, SCALARS, SCOPE, random_event, random_tree
from tests.unit.expressions.trees import COMPARISONS, MACROS, Tree, text_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
FIRST_MOMENT = RANGES[Type.TIMESTAMP].low
TYPES = {each: getattr(cel.Type, each.name) for each in SCALARS}
ENVIRONMENT = cel.NewEnv(
    variables={
        field: cel.Type.List(TYPES[type_.element]) if type_.is_list else TYPES[type_] for field, type_ in FIELDS.items()
    }
)


class Comparison(NamedTuple):
    """What comparing random expressions found: how many evaluations were compared, in how many of them both had a
    value, how many were passed over, and those that differ."""

    compared: int
    with_value: int
    passed_over: int
    disagreements: tuple[str, ...]


def compare(seeds: Iterable[int]) -> Comparison:
    """Compare one random expression for each seed, on three random events."""
    compared, with_value, passed_over, found = 0, 0, 0, []
    for seed in seeds:
        random = Random(seed)
        tree = random_tree(random, random.choice(SCALARS), 4, own=False)
        text = text_of(tree)
        ours = compile_function("evaluate", ["event"], {"it": check(text, SCOPE, tree.type)})
        theirs = ENVIRONMENT.compile(text_of(tree, dyn=True))
        for _ in range(3):
            event = _without_first_moment(random_event(random))
            (our_value,) = ours(event)
            our_value = None if our_value is ERROR else our_value
            their_value = value_there(theirs, event)
            compared += 1
            if repr(our_value) == repr(their_value):
                with_value += our_value is not None
                continue
            if any(_departs(*step) for step in steps(tree, event)):
                passed_over += 1
                continue
            read = {field: value for field, value in event.items() if field in text}
            found.append(f"seed {seed}: {text} on {read}: {our_value!r} here, {their_value!r} there")
    return Comparison(compared, with_value, passed_over, tuple(found))


def _without_first_moment(event: dict[str, Any]) -> dict[str, Any]:
    return {
        field: FIRST_MOMENT + 1 if value == FIRST_MOMENT and FIELDS[field] is Type.TIMESTAMP else value
        for field, value in event.items()
    }


def steps(tree: Tree, event: dict[str, Any]) -> Iterator[tuple[Tree, list[Any]]]:
    """Each part of an expression with the values of its operands; that of a macro for each element."""
    yield tree, [evaluate(each, event) for each in tree.operands if tree.operator not in MACROS]
    if tree.operator not in MACROS:
        for each in tree.operands:
            yield from steps(each, event)
        return
    listed, predicate = tree.operands
    yield from steps(listed, event)
    for element in evaluate(listed, event) or ():
        yield from steps(predicate, {**event, tree.value: element})


def _departs(tree: Tree, values: list[Any]) -> bool:
    if any(each is None or each is ERROR for each in values):
        return False
    types = [each.type for each in tree.operands]
    if tree.operator == "-" and types == [Type.TIMESTAMP, Type.TIMESTAMP]:
        difference: int = values[0] - values[1]
        return abs(difference) > RANGES[Type.DURATION].high - 1_000
    if tree.operator in COMPARISONS or tree.operator == "in":
        numbers = [number for each in values for number in (each if isinstance(each, tuple) else (each,))]
        return {int, float} == set(map(type, numbers)) and any(abs(each) > 2**53 for each in numbers)
    return False


def value_there(expression: Any, event: dict[str, Any]) -> Any:
    """What C++ makes of an event, in our own types; None for an error."""
    given = {field: _given(value, FIELDS[field]) for field, value in event.items() if value is not None}
    result = expression.eval(data=given)
    if result.type() == cel.Type.ERROR:
        return None
    value = result.plain_value()
    match value:
        case datetime():
            return (value - EPOCH) // MILLISECOND
        case timedelta():
            return value // MILLISECOND
    return value


def _given(value: Any, type_: Type) -> Any:
    match type_:
        case Type.TIMESTAMP:
            return EPOCH + value * MILLISECOND
        case Type.DURATION:
            return value * MILLISECOND
        case _:
            return list(value) if type_.is_list else value
