"""States of a subject as bytes that the kernel reads and folds as they are: they are never unpacked.

The bytes begin with their fold's layout. Each state that was ever folded into follows, in the layout's order: its tag
(4 bytes), the length of what follows (2), its letters (1); then numbers of 7 bits a byte, the lowest first, those that
may be negative in zigzag: the length of the shortest hops, how many hops there are, the newest one's start, 0 where
they were never put together, else when (against that start, plus one) and the limit, for `z` time (against that start)
and value of the newest event; then the hops from the newest back: how much earlier each begins, and what it has for
each letter. Sums stand for their own hop alone, the least and the greatest as steps, as they only fall or rise.

What a state means, and all that is rare, is `SharedHops`': states are spelt out as that has them, and packed again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from math import inf
from struct import Struct, error as StructError
from typing import Any, Final

import msgspec
import numpy as np

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.features import flat_layout as at
from fraudbrain_shared.features.hops import INT64_MAX, INT64_MIN
from fraudbrain_shared.features.keeper import TAG, State
from fraudbrain_shared.features.shared_hops import AS_OF, COLUMNS, LIMIT, SIGNATURE, STARTS, SharedHops
from fraudbrain_shared.scenario.description import ProfileFeature, Read, Window
from fraudbrain_shared.scenario.profile_state import ENDLESS_S, FIRST_SLACK, StateShape
from fraudbrain_shared.scenario.scope import KNOWN_READS

_HEAD: Final = Struct("<IHB")
_LAYOUT: Final = Struct("<I")
_WORD: Final = 8
_CAPACITY: Final = 128 * 1024

_READS: Final[Mapping[Read, tuple[int, ...]]] = {
    "count": (at.READ_COUNT,),
    "sum": (at.READ_SUM,),
    "mean": (at.READ_MEAN,),
    "min": (at.READ_LOW,),
    "max": (at.READ_HIGH,),
    "stddev": (at.READ_COUNT, at.READ_SUM, at.READ_SQUARES),
    "first": (at.READ_FIRST,),
    "last": (at.READ_LAST,),
    "seconds_since": (at.READ_AGE,),
}


def is_flat(shape: StateShape) -> bool:
    """Whether the kernel knows all that a state keeps."""
    letters = set(shape.columns)
    is_whole = shape.value_type is Type.INT or letters == {"n"}
    return shape.kind == "hops" and is_whole and letters <= set(at.LETTERS)


class FlatStates:
    """The flat states of a fold, and the array that it shares with the kernel. For one thread.

    A state's table is its tag, letters, length of the shortest hops, which of the values it takes, how many windows and
    features follow, and the table's length; then of each window length, hop and grid, in seconds, and of each feature
    where the window of its own stands, how many reads follow, and those.
    """

    def __init__(self, layout: int, shapes: Sequence[StateShape]) -> None:
        from fraudbrain_shared.features.flat_kernel import kernels  # late, since it takes a second

        if len(shapes) > at.MOST_STATES:
            raise ValueError(f"at most {at.MOST_STATES} states are flat")
        self.layout: Final = layout
        self.shapes: Final = shapes
        self._places = {shape.tag: place for place, shape in enumerate(shapes)}
        self._keepers = [SharedHops(shape) for shape in shapes]
        self.values: Final = list(dict.fromkeys(map(_value_text, shapes)))
        """The texts of the values that are folded, None for ones."""
        self.kernels: Final = kernels()
        windows = list(dict.fromkeys(_window(each) for shape in shapes for each in shape.features))
        tables = [*(word for length, hop in windows for word in (length, hop, 0))]
        for shape, keeper in zip(shapes, self._keepers, strict=True):
            tables += self._table(shape, keeper, windows)
        out_at = at.TABLE + len(tables)
        columns_at = out_at + sum(len(slots(each)) for shape in shapes for each in shape.features)
        bytes_at = columns_at + at.COLUMNS * (at.MOST_HOPS + 2)
        self.work: Final = np.zeros(bytes_at + _CAPACITY // _WORD, np.int64)
        self.work[at.LAYOUT : at.TABLE] = layout, len(shapes), len(windows), out_at, columns_at, bytes_at, _CAPACITY
        self.work[at.TABLE : out_at] = tables
        memory = memoryview(self.work.data).cast("B")
        self.memory: Final = memory
        self.made: Final = memory[bytes_at * _WORD :]
        self.out_at: Final = out_at * _WORD

    def value_place(self, shape: StateShape) -> int:
        """Which of `values` the state takes."""
        return self.values.index(_value_text(shape))

    def spelt_out(self, flat: bytes) -> list[State | None]:
        """The states of bytes of this layout."""
        states: list[State | None] = [None] * len(self.shapes)
        for state in spell_out(flat):
            if state[TAG] not in self._places:
                raise msgspec.DecodeError("a state of no feature")
            states[self._places[state[TAG]]] = state
        return states

    def fold(self, flat: bytes, mask: int, values: Sequence[int], time: int, clock: int) -> tuple[bytes, int]:
        """What the kernel declines to fold: the new bytes, and for how many features the values came too late."""
        states, late = self.spelt_out(flat), 0
        for place, (shape, keeper) in enumerate(zip(self.shapes, self._keepers, strict=True)):
            if mask >> place & 1:
                state = states[place]
                if state is None:
                    state = states[place] = keeper.start()
                late += keeper.add(state, values[self.value_place(shape)], None, time, clock)
        return packed(self.layout, states), late

    def _table(self, shape: StateShape, keeper: SharedHops, windows: Sequence[tuple[int, int]]) -> list[int]:
        head = shape.tag, _bits(shape.columns), keeper.hop_s % ENDLESS_S, self.value_place(shape)
        spans = [length for each in shape.reaches for length in (each.length_s, each.hop_s, each.grid_s)]
        for feature in by_reach(shape):
            reads = slots(feature)
            spans += at.TABLE + 3 * windows.index(_window(feature)), len(reads), *reads
        return [*head, len(shape.reaches), len(shape.features), len(head) + 3 + len(spans), *spans]


def by_reach(shape: StateShape) -> list[ProfileFeature]:
    """A state's features as the kernel reads them: each reaches as far as the one before or further."""
    return sorted(shape.features, key=_window)


def slots(feature: ProfileFeature) -> list[int]:
    """What the kernel leaves of a feature, a word each: first how many hops it has, if it may be unknown."""
    known = [] if KNOWN_READS.issuperset(feature.read) else [at.READ_HOPS]
    return [*known, *(slot for read in feature.read for slot in _READS[read])]


def packed(layout: int, states: Iterable[State | None]) -> bytes:
    """The bytes of states that are kept as `SharedHops` has them; None is one that was never folded into."""
    made = bytearray()
    for state in states:
        if state is not None:
            letters = str(state[SIGNATURE]).lstrip("0123456789")
            body = _body(state, letters)
            made += _HEAD.pack(state[TAG], len(body), _bits(letters)) + body
    return _LAYOUT.pack(layout) + made if made else b""


def spell_out(flat: bytes) -> Iterator[State]:
    """The states in the bytes of whatever layout, as `SharedHops` has them. Raises DecodeError where there are none."""
    try:
        place = _LAYOUT.size
        while place < len(flat):
            tag, length, bits = _HEAD.unpack_from(flat, place)
            place += _HEAD.size
            yield _spelt_out(tag, bits, _numbers(flat[place : place + length]))
            place += length
    except (StopIteration, StructError) as error:
        raise msgspec.DecodeError("these are no states") from error


def check_flat(flat: bytes) -> None:
    """Raises DecodeError where the bytes are no flat states."""
    from fraudbrain_shared.features.flat_kernel import kernels

    if kernels().check(flat) < 0:
        raise msgspec.DecodeError("a profile whose flat states are cut or spoilt; fold the events again")


def layout_in(flat: bytes) -> int:
    """Of which layout the bytes are; 0 where there are none."""
    return int.from_bytes(flat[: _LAYOUT.size], "little")


def _body(state: State, letters: str) -> bytearray:
    starts: list[int] = state[STARTS][::-1]
    columns = dict(zip(letters, state[COLUMNS:], strict=True))
    start = starts[0] if starts else 0
    body = bytearray()
    numbers = [int(str(state[SIGNATURE]).removesuffix(letters)), len(starts)]
    if starts:
        numbers.append(_zigzag(start))
    is_first = (state[AS_OF], state[LIMIT]) == (0, FIRST_SLACK)
    numbers += [0] if is_first else [1 + _zigzag(state[AS_OF] - start), state[LIMIT]]
    if "z" in letters:
        time, value = columns["z"]
        numbers += [_zigzag(time - 1000 * start), _zigzag(value or 0)]
    newer = start
    kept = {letter: _by_hop(letter, column) for letter, column in columns.items() if letter != "z"}
    for place, each in enumerate(starts):
        if place:
            numbers.append(newer - each)
            newer = each
        for letter in at.LETTERS:
            if letter in kept:
                column = kept[letter]
                if letter in "lh":
                    numbers.append(abs(column[place] - column[place - 1]) if place else _zigzag(column[0]))
                elif letter == "a":
                    time, value = column[place]
                    numbers += [_zigzag(time - 1000 * each), _zigzag(value or 0)]
                else:
                    numbers.append(column[place] if letter == "n" else _zigzag(column[place]))
    for number in numbers:
        _append(body, number)
    return body


def _spelt_out(tag: int, bits: int, numbers: Iterator[int]) -> State:
    letters = "".join(letter for place, letter in enumerate(at.LETTERS) if bits >> place & 1)
    hop_s, hops = next(numbers), next(numbers)
    start = _signed(next(numbers)) if hops else 0
    as_of, limit = 0, FIRST_SLACK
    if regrouped := next(numbers):
        as_of, limit = start + _signed(regrouped - 1), next(numbers)
    newest: list[Any] = [-1, None]
    if "z" in letters:
        time, value = 1000 * start + _signed(next(numbers)), _signed(next(numbers))
        newest = [time, value] if time >= 0 else newest
    starts: list[int] = []
    columns: dict[str, list[Any]] = {letter: [] for letter in letters}
    for place in range(hops):
        if place:
            start -= next(numbers)
        starts.append(start)
        for letter in letters:
            column = columns[letter]
            if letter in "lh":
                number = next(numbers)
                step = -number if letter == "l" else number
                column.append(column[-1] + step if place else _signed(number))
            elif letter == "a":
                time, value = 1000 * start + _signed(next(numbers)), _signed(next(numbers))
                column.append([time, value] if time >= 0 else [-1, None])
            elif letter != "z":
                column.append(next(numbers) if letter == "n" else _signed(next(numbers)))
    kept = [newest if letter == "z" else _of_all(letter, columns[letter]) for letter in letters]
    return [tag, f"{hop_s}{letters}", as_of, limit, starts[::-1], *kept]


def _by_hop(letter: str, column: Sequence[Any]) -> list[Any]:
    """What each hop has, the newest first."""
    if letter in "nsq":
        return [later - before for before, later in pairwise(column)][::-1]
    if letter in "lh":
        return [{inf: INT64_MAX, -inf: INT64_MIN}.get(each, each) for each in reversed(column)]
    return list(reversed(column))


def _of_all(letter: str, hops: Sequence[Any]) -> list[Any]:
    """The column of what each hop has."""
    return list(accumulate(reversed(hops), initial=0)) if letter in "nsq" else list(reversed(hops))


def _numbers(body: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in body:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield number
            number = shift = 0


def _append(body: bytearray, number: int) -> None:
    while number > 127:
        body.append(number & 127 | 128)
        number >>= 7
    body.append(number)


def _zigzag(number: int) -> int:
    return -2 * number - 1 if number < 0 else 2 * number


def _signed(number: int) -> int:
    return number >> 1 ^ -(number & 1)


def _bits(letters: str) -> int:
    return sum(1 << at.LETTERS.index(letter) for letter in letters)


def _value_text(shape: StateShape) -> str | None:
    """What tells values apart; one that only counts takes ones."""
    value = shape.features[0].value
    return value.text if value and shape.columns != "n" else None


def _window(feature: ProfileFeature) -> tuple[int, int]:
    span = feature.span
    return (span.length_ms // 1000, span.hop_ms // 1000) if isinstance(span, Window) else (ENDLESS_S, ENDLESS_S)
