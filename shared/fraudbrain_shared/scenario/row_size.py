"""How many bytes a subject's row may take: known at load, so that no subject grows beyond it.

The numbers are of MessagePack and of flat states, whichever takes more: change them with what is kept.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.scenario.description import ProfileFeature
from fraudbrain_shared.scenario.profile_state import (
    ENDLESS_S,
    EXACT_DISTINCT,
    FIRST_SLACK,
    QUANTILE_BINS,
    REMEMBERED_BYTES,
    REMEMBERED_EVENTS,
    SKETCH_RANKS,
    SKETCH_REGISTERS,
    Reach,
    StateShape,
    state_shapes,
)

MAX_ROW_BYTES: Final = 32 * 1024
"""The most that a subject's row may take."""

_NUMBER: Final = 10
_HUGE: Final = 19  # a sum of ints beyond 64 bits, as bytes of its own
_TEXT: Final = 2 + 4 * 64
_HEAD: Final = 48

ROW_HEAD_BYTES: Final = 5 * _TEXT + REMEMBERED_EVENTS * REMEMBERED_BYTES
"""The subject's name, numbers of the row, and what is remembered of events."""


def row_bytes(features: Iterable[ProfileFeature]) -> int:
    """The longest that a row with these features can be, whatever comes."""
    return ROW_HEAD_BYTES + sum(map(_state_bytes, state_shapes(features)))


def worst_case_bytes(feature: ProfileFeature) -> int:
    """The most that one feature adds to a row. Several may share a state: together they add less, or, where hops
    do not divide each other, more; `row_bytes` tells."""
    return sum(map(_state_bytes, state_shapes([feature])))


def _state_bytes(shape: StateShape) -> int:
    value = _TEXT if shape.value_type is Type.STRING else _NUMBER
    if shape.kind == "last":
        return _HEAD + shape.count * value + 2 * _NUMBER
    hops = most_hops(shape.reaches)
    cell = {"n": 5, "s": _HUGE, "q": _HUGE, "m": 3 * _NUMBER + 1, "a": 1 + _NUMBER + value, "r": 5}
    whole = {
        "z": _NUMBER + value,
        "d": max(EXACT_DISTINCT * 10, SKETCH_REGISTERS * SKETCH_RANKS * 8),
        "r": 1 + value,
        "u": QUANTILE_BINS * 10 + 16,
    }
    per_hop = 5 + sum(cell.get(letter, 0 if letter in "zdu" else _NUMBER) for letter in shape.columns)
    columns = sum(whole.get(letter, 0) + 8 for letter in shape.columns)
    key = _TEXT if shape.kind == "within" else 0
    return _HEAD + hops * per_hop + columns + key


def most_hops(reaches: Sequence[Reach]) -> int:
    """The longest that a list of hops grows: what its windows need, and some that wait to be dropped."""
    needed, shorter = 0, 0
    for each in reaches:
        length = each.length_s % ENDLESS_S
        needed += max(length - shorter, 0) // each.grid_s + 2
        shorter = max(length, shorter)
    return needed + max(FIRST_SLACK, needed // 4)
