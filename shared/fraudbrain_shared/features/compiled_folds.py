"""All that events of one type add to a profile, as one generated Python function."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from struct import Struct
from typing import Any, Final, NamedTuple, TypeAlias

from fraudbrain_shared.expressions import Expression, Type
from fraudbrain_shared.expressions.compiler import function_of
from fraudbrain_shared.expressions.writer import Writer
from fraudbrain_shared.features.flat_layout import LATE, VALUES
from fraudbrain_shared.features.flat_states import FlatStates
from fraudbrain_shared.features.keeper import Keeper, State
from fraudbrain_shared.features.profile import Profile
from fraudbrain_shared.scenario.description import ProfileFeature, Within

FoldAll: TypeAlias = Callable[[object, int, Sequence[object], Sequence[object], Profile, list[State | None], int], int]
"""(event, event_time, profile, derived, kept, states, clock) → for how many features the event came too late.

The first four are what expressions read, `kept` is the profile that is folded into, `states` one state or None for each
keeper of a fold, `clock` that of the profile, the event included."""
FoldSlowly: TypeAlias = Callable[[Profile, int, Sequence[int], int, int], int]
"""(profile, mask, values, time, clock): folds what the kernel declines; returns the same."""

_ARGUMENTS: Final = ("event", "event_time", "profile", "derived", "kept", "states", "clock")


class Step(NamedTuple):
    """A state that events of a type are folded into, at its place among all, and a feature that says what."""

    place: int
    keeper: Keeper
    feature: ProfileFeature


class FlatStep(NamedTuple):
    """A flat state that events of a type are folded into: its place among them, and a feature that says what."""

    place: int
    feature: ProfileFeature
    value_place: int


def expressions_of(feature: ProfileFeature) -> Iterable[Expression]:
    """What decides what is folded, and within which key."""
    return (each for each in (feature.where, feature.value, key_of(feature)) if each)


def key_of(feature: ProfileFeature) -> Expression | None:
    """The key within which the feature is kept."""
    return feature.span.key if isinstance(feature.span, Within) else None


def compile_folds(
    steps: Sequence[Step], flat_steps: Sequence[FlatStep], flat: FlatStates, fold_slowly: FoldSlowly
) -> FoldAll:
    """The function that folds an event into the states of all `steps`, and into `flat` ones.

    A feature without `where` takes all events, one without `value` counts them as 1. What is unknown or in error is
    not folded, nor is a double that is no number.
    """
    features = [each.feature for each in steps] + [each.feature for each in flat_steps]
    trees = [each.tree for feature in features for each in expressions_of(feature)]
    writer = Writer(trees)
    lines = [line for step in steps for line in _step_lines(writer, step)]
    lines += _flat_lines(writer, flat_steps, flat) if flat_steps else ()
    constants: dict[str, Any] = {**writer.constants, "_isfinite": isfinite, "_bytes": bytes, "_int": int}
    constants |= {"_work": flat.work, "_memory": flat.memory, "_made": flat.made, "_kernel": flat.kernels.fold}
    constants |= {"_pack": Struct(f"={VALUES + len(flat.values)}q").pack_into, "_fold_slowly": fold_slowly}
    for place, keeper, _ in steps:
        constants |= {f"_start{place}": keeper.start, f"_add{place}": keeper.add, f"_miss{place}": keeper.miss}
    fold_all: FoldAll = function_of(
        "fold_all", _ARGUMENTS, [*writer.statements, "_late = 0", *lines, "return _late"], constants
    )
    return fold_all


def _step_lines(writer: Writer, step: Step) -> Iterator[str]:
    place, keeper, feature = step
    key = "None"
    if own_key := key_of(feature):
        yield f"_key = {writer.code(own_key.tree)}"
        yield "if _key is ERROR: _key = None"
        key = "_key"
    tests, value = _tests(writer, feature)
    fold = [*_state_lines(place), f"_late += _add{place}(_state, {value}, {key}, event_time, clock)"]
    if not tests:
        yield from fold
        return
    yield f"if {' and '.join(tests)}:"
    yield from (f"    {line}" for line in fold)
    if keeper.minds_misses:
        yield "else:" if keeper.notes_misses else f"elif states[{place}] is not None:"
        yield from (f"    {line}" for line in _state_lines(place))
        yield f"    _miss{place}(_state, {key}, event_time, clock)"


def _flat_lines(writer: Writer, steps: Sequence[FlatStep], flat: FlatStates) -> Iterator[str]:
    values = [f"_value{place}" for place in range(len(flat.values))]
    yield f"{' = '.join(values)} = 0"
    yield "_mask = 0"
    for place, feature, value_place in steps:
        tests, value = _tests(writer, feature)
        lines = [f"_mask |= {1 << place}"]
        if flat.values[value_place] is None:
            lines.append(f"{values[value_place]} = 1")
        else:
            lines.append(f"{values[value_place]} = {value}")
        if tests:
            yield f"if {' and '.join(tests)}:"
        yield from (f"    {line}" if tests else line for line in lines)
    given = f"event_time, clock, _mask, 0, {', '.join(values)}"
    yield "if _mask:"
    yield f"    _pack(_memory, 0, {given})"
    yield "    _length = _kernel(kept.flat, _work)"
    yield "    if _length < 0:"
    yield f"        _late += _fold_slowly(kept, _mask, ({', '.join(values)},), event_time, clock)"
    yield "    else:"
    yield "        kept.flat = _bytes(_made[:_length])"
    yield f"        if event_time < clock: _late += _int(_work[{LATE}])"


def _tests(writer: Writer, feature: ProfileFeature) -> tuple[list[str], str]:
    """What must hold for a value to be folded, in this order, and the code for it then."""
    tests = []
    if where := feature.where:
        tests.append(writer.condition(where.tree).value if where.tree.is_sure else f"{writer.code(where.tree)} is True")
    if feature.value is None:
        return tests, "1"
    tree = feature.value.tree
    code = writer.code(tree)
    if tree.is_sure and tree.type is not Type.DOUBLE:
        return tests, code
    value = writer.temporary()
    tests.append(f"({value} := {code}) is not None")
    if tree.may_fail:
        tests.append(f"{value} is not ERROR")
    if tree.type is Type.DOUBLE:
        tests.append(f"_isfinite({value})")
    return tests, value


def _state_lines(place: int) -> Iterator[str]:
    yield f"_state = states[{place}]"
    yield f"if _state is None: _state = states[{place}] = _start{place}()"
