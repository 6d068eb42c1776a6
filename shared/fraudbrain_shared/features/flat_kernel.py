"""The machine code that reads and folds flat states: compiled by numba once, for whatever scenario.

What the bytes say stands in `flat_states`, as does how the array `work` is laid out. No byte is read or written that
is not known to be there, whatever the bytes are. What is rare is declined, with nothing changed: then Python does it.
Importing numba takes a second, so `flat_states` imports this late.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, Final, NamedTuple

import numba
import numpy as np
from numba import types
from numba.extending import register_jitable

from fraudbrain_shared.features.flat_layout import (
    BYTES_AT,
    CAPACITY,
    CLOCK,
    COLUMNS,
    COLUMNS_AT,
    COUNT,
    DECLINED,
    FIRST,
    HIGH,
    LATE,
    LAYOUT,
    LOW,
    MASK,
    MOST_BODY,
    MOST_HEAD_BYTES,
    MOST_HOP_BYTES,
    MOST_HOPS,
    NEWEST,
    OTHER_LAYOUT,
    OUT_AT,
    READ_AGE,
    READ_COUNT,
    READ_FIRST,
    READ_HIGH,
    READ_HOPS,
    READ_LAST,
    READ_LOW,
    READ_MEAN,
    READ_SQUARES,
    READ_SUM,
    SQUARES,
    STAMP,
    STATE_HEAD,
    STATES,
    TABLE,
    TIME,
    TOTAL,
    UNSOUND,
    VALUES,
    WINDOWS,
)
from fraudbrain_shared.scenario.profile_state import FIRST_SLACK

# What a hop of the state that is worked on has, side by side, the newest hop first.
_START, _COUNT, _TOTAL, _LOW, _HIGH, _SQUARES, _FIRST_MS, _FIRST = range(COLUMNS)

_FAR: Final = 1 << 40  # a place beyond all bytes
_BIG: Final = 1 << 62  # sums stay below: two of them fit into 64 bits
_ROOT: Final = 1 << 31  # the square of less is less
_EXACT: Final = 1 << 53  # doubles hold all whole numbers up to it
_63_BITS: Final = (1 << 63) - 1
ALL: Final = -_63_BITS - 1
_57_BITS: Final = (1 << 57) - 1
_STAMP: Final = STAMP ^ FIRST_SLACK


class Kernels(NamedTuple):
    """`read(flat, work, now)` leaves what is read as of a time, UTC ms, at `OUT_AT`. `fold(flat, work)` leaves the new
    bytes at `BYTES_AT` and how many values came too late at `LATE`, and returns the length. Both answer less than 0
    where they do neither. `check(flat)` is 0 where the bytes are flat states.
    """

    read: Callable[[bytes, Any, int], int]
    fold: Callable[[bytes, Any], int]
    check: Callable[[bytes], int]
    stamp: Callable[[], int]
    """For which layout they were compiled."""


@cache
def kernels() -> Kernels:
    """The kernels, compiled or loaded from numba's cache; as `models.kernel` has it.

    They are called by the entry point of their one signature: numba's dispatcher would take twice as long as the work.
    What numba has kept counts as fresh while this file is the same: whether the layout is, the stamp tells.
    """
    with suppress(Exception):
        made = _compiled(cached=True)
        if made.stamp() == _STAMP:
            return made
    return _compiled(cached=False)


def _compiled(*, cached: bool) -> Kernels:
    flat, work, number = types.Bytes(numba.uint8, 1, "C", readonly=True), numba.int64[::1], numba.int64
    signatures = [number(flat, work, number), number(flat, work), number(flat), number()]
    njit: Any = numba.njit
    entries = []
    for source, signature in zip(INTERPRETED, signatures, strict=True):
        made = njit(signature, cache=cached, error_model="numpy")(source)
        entries.append(made.overloads[signature.args].entry_point)
    return Kernels(*entries)


@register_jitable
def _varint(flat: Any, at: Any, end: Any) -> Any:
    """The number at a place and the place after it, which is far away where there is none of 64 bits."""
    if at < end:
        byte = np.int64(flat[np.uint64(at)])
        if byte < 128:
            return byte, at + 1
        value, shift = byte & 127, 7
        at += 1
        while at < end and shift < 64:
            byte = np.int64(flat[np.uint64(at)])
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return (value, at) if shift < 63 or byte == 1 else (0, _FAR)
            shift += 7
    return 0, _FAR


@register_jitable
def _signed(value: Any) -> Any:
    """From zigzag."""
    return ((value >> 1) & _63_BITS) ^ -(value & 1)


@register_jitable
def _zigzag(value: Any) -> Any:
    return (value << 1) ^ (value >> 63)


@register_jitable
def _write(made: Any, at: Any, value: Any) -> Any:
    """Writes 64 bits without sign and returns the place after them."""
    while value < 0 or value > 127:
        made[np.uint64(at)] = np.uint8((value & 127) | 128)
        value = (value >> 7) & _57_BITS
        at += 1
    made[np.uint64(at)] = np.uint8(value)
    return at + 1


@register_jitable
def _copy(flat: Any, at: Any, end: Any, made: Any, to: Any) -> Any:
    """Copies bytes up to before a place, and returns the place after them."""
    for place in range(end - at):
        made[np.uint64(to + place)] = flat[np.uint64(at + place)]
    return to + end - at


@register_jitable
def _tag_at(flat: Any, at: Any) -> Any:
    return (
        np.int64(flat[at]) | np.int64(flat[at + 1]) << 8 | np.int64(flat[at + 2]) << 16 | np.int64(flat[at + 3]) << 24
    )


@register_jitable
def _body_end(flat: Any, at: Any) -> Any:
    return at + STATE_HEAD + (np.int64(flat[at + 4]) | np.int64(flat[at + 5]) << 8)


@register_jitable
def _head(flat: Any, at: Any, end: Any, letters: Any) -> Any:
    """What stands before the hops: how many, the newest one's start, when they were put together, the limit, the
    newest event's time and value, and the place of the hops."""
    _, at = _varint(flat, at, end)  # the length of the shortest
    hops, at = _varint(flat, at, end)
    start = 0
    if hops:
        start, at = _varint(flat, at, end)
        start = _signed(start)
    as_of, limit = 0, FIRST_SLACK
    regrouped, at = _varint(flat, at, end)
    if regrouped:
        as_of = start + _signed(regrouped - 1)
        limit, at = _varint(flat, at, end)
    newest_ms, newest = -1, 0
    if letters & NEWEST:
        newest_ms, at = _varint(flat, at, end)
        newest_ms = start * 1000 + _signed(newest_ms)
        newest, at = _varint(flat, at, end)
        newest = _signed(newest)
    return hops, start, as_of, limit, newest_ms, newest, at


@register_jitable
def _hops(
    flat: Any, at: Any, end: Any, letters: Any, columns: Any, hops: Any, start: Any, first: Any, until: Any, value: Any
) -> Any:
    """Brings hops into the columns from `first` on, as far as they begin at `until` or after, and up to one from which
    on a `value` is neither the least nor the greatest, unless that is 64 bits' least. Returns how many, and the place
    after them."""
    low = high = 0
    for place in range(first, first + hops):
        if place > first:
            step, at = _varint(flat, at, end)
            start -= step
        if start < until or at > end:
            return place - first, at
        columns[place * COLUMNS + _START] = start
        if letters & COUNT:
            columns[place * COLUMNS + _COUNT], at = _varint(flat, at, end)
        if letters & TOTAL:
            number, at = _varint(flat, at, end)
            columns[place * COLUMNS + _TOTAL] = _signed(number)
        if letters & LOW:
            number, at = _varint(flat, at, end)
            low = low - number if place > first else _signed(number)
            columns[place * COLUMNS + _LOW] = low
        if letters & HIGH:
            number, at = _varint(flat, at, end)
            high = high + number if place > first else _signed(number)
            columns[place * COLUMNS + _HIGH] = high
        if letters & SQUARES:
            number, at = _varint(flat, at, end)
            columns[place * COLUMNS + _SQUARES] = _signed(number)
        if letters & FIRST:
            number, at = _varint(flat, at, end)
            columns[place * COLUMNS + _FIRST_MS] = start * 1000 + _signed(number)
            number, at = _varint(flat, at, end)
            columns[place * COLUMNS + _FIRST] = _signed(number)
        if value != ALL and not (letters & LOW and low > value) and not (letters & HIGH and high < value):
            return place + 1 - first, at
    return hops, at


def _read(flat: Any, work: Any, now: Any) -> Any:
    end = len(flat)
    if end:
        if end < 4:
            return UNSOUND
        if _tag_at(flat, 0) != work[LAYOUT]:
            return OTHER_LAYOUT
    now_s = now // 1000
    windows = TABLE
    for window in range(windows, windows + 3 * work[WINDOWS], 3):
        work[window + 2] = (now_s - work[window]) // work[window + 1] * work[window + 1]
    table = windows + 3 * work[WINDOWS]
    columns = work[work[COLUMNS_AT] :]
    doubles = work.view(np.float64)
    out = work[OUT_AT]
    at = 4
    for _ in range(work[STATES]):
        tag, letters, reaches, features = work[table], work[table + 1], work[table + 4], work[table + 5]
        table += 7 + 3 * reaches
        hops = newest_ms = newest = 0
        if at + STATE_HEAD <= end and _tag_at(flat, at) == tag:
            body_end = _body_end(flat, at)
            if body_end > end or flat[at + 6] != letters:
                return UNSOUND
            until = now_s
            feature = table
            for _ in range(features):
                until = min(until, work[work[feature] + 2])
                feature += 2 + work[feature + 1]
            hops, start, _, _, newest_ms, newest, place = _head(flat, at + STATE_HEAD, body_end, letters)
            if not 0 <= hops <= MOST_HOPS:
                return DECLINED
            hops, place = _hops(flat, place, body_end, letters, columns, hops, start, 0, until, ALL)
            if place > body_end:
                return DECLINED
            at = body_end
        held = count = total = squares = 0
        for _ in range(features):
            begin = work[work[table] + 2]
            while held < hops and columns[held * COLUMNS + _START] >= begin:
                if letters & COUNT:
                    count += columns[held * COLUMNS + _COUNT]
                if letters & TOTAL:
                    total += columns[held * COLUMNS + _TOTAL]
                    if not -_BIG < total < _BIG:
                        return DECLINED
                if letters & SQUARES:
                    squares += columns[held * COLUMNS + _SQUARES]
                    if not -_BIG < squares < _BIG:
                        return DECLINED
                held += 1
            while held and columns[(held - 1) * COLUMNS + _START] < begin:
                held -= 1
                if letters & COUNT:
                    count -= columns[held * COLUMNS + _COUNT]
                if letters & TOTAL:
                    total -= columns[held * COLUMNS + _TOTAL]
                if letters & SQUARES:
                    squares -= columns[held * COLUMNS + _SQUARES]
            reads = work[table + 1]
            table += 2
            for each in range(table, table + reads):
                read = work[each]
                if read == READ_COUNT:
                    work[out] = count if held else 0
                elif read == READ_SUM:
                    work[out] = total if held else 0
                elif read == READ_MEAN:
                    if not -_EXACT < total < _EXACT:
                        return DECLINED
                    doubles[out] = total / count if count else 0.0
                elif read == READ_HOPS:
                    work[out] = held
                elif held == 0:
                    work[out] = 0
                elif read == READ_LOW:
                    work[out] = columns[(held - 1) * COLUMNS + _LOW]
                elif read == READ_HIGH:
                    work[out] = columns[(held - 1) * COLUMNS + _HIGH]
                elif read == READ_SQUARES:
                    work[out] = squares
                elif read == READ_FIRST:
                    work[out] = columns[(held - 1) * COLUMNS + _FIRST]
                elif newest_ms < 0:
                    return DECLINED
                elif read == READ_LAST:
                    work[out] = newest
                elif read == READ_AGE:
                    work[out] = (now - newest_ms) // 1000
                out += 1
            table += reads
    return 0 if at >= end else UNSOUND


@register_jitable
def _edge(work: Any, reaches: Any, number: Any, as_of_s: Any) -> Any:
    """From which second on a window or a shorter one reads."""
    edge = as_of_s
    for reach in range(reaches, reaches + 3 * (number + 1), 3):
        edge = min(edge, (as_of_s - work[reach]) // work[reach + 1] * work[reach + 1])
    return edge


@register_jitable
def _is_big(columns: Any, letters: Any, first: Any, hops: Any) -> Any:
    """Whether a sum may leave 64 bits when it is added to."""
    for place in range(first, first + hops):
        if letters & TOTAL and not -_BIG < columns[place * COLUMNS + _TOTAL] < _BIG:
            return True
        if letters & SQUARES and not -_BIG < columns[place * COLUMNS + _SQUARES] < _BIG:
            return True
    return False


@register_jitable
def _regroup(work: Any, columns: Any, reaches: Any, number: Any, letters: Any, hops: Any, as_of_s: Any) -> Any:
    """As `SharedHops` does; the hops are those from place 1 on. Returns how many are left, or DECLINED."""
    zone, left = 0, 0
    edge, grid = _edge(work, reaches, 0, as_of_s), work[reaches + 2]
    shortest = grid
    for place in range(1, hops + 1):
        start = columns[place * COLUMNS + _START]
        while start < edge:
            zone += 1
            if zone == number:
                return left
            edge, grid = _edge(work, reaches, zone, as_of_s), work[reaches + 3 * zone + 2]
        if grid != shortest:
            start = start // grid * grid
        if left and columns[left * COLUMNS + _START] == start and grid != shortest:
            columns[left * COLUMNS + _COUNT] += columns[place * COLUMNS + _COUNT]
            columns[left * COLUMNS + _TOTAL] += columns[place * COLUMNS + _TOTAL]
            columns[left * COLUMNS + _SQUARES] += columns[place * COLUMNS + _SQUARES]
            if _is_big(columns, letters, left, 1):
                return DECLINED
        else:
            left += 1
            columns[left * COLUMNS + _START] = start
            columns[left * COLUMNS + _COUNT] = columns[place * COLUMNS + _COUNT]
            columns[left * COLUMNS + _TOTAL] = columns[place * COLUMNS + _TOTAL]
            columns[left * COLUMNS + _SQUARES] = columns[place * COLUMNS + _SQUARES]
        for column in (_LOW, _HIGH, _FIRST_MS, _FIRST):
            columns[left * COLUMNS + column] = columns[place * COLUMNS + column]
    return left


@register_jitable
def _own_start(work: Any, reaches: Any, number: Any, as_of_s: Any, second: Any) -> Any:
    """The beginning of the hop that a second belongs to, which some window reads; of the longest if none does."""
    for zone in range(number):
        if second >= _edge(work, reaches, zone, as_of_s):
            break
    grid = work[reaches + 3 * zone + 2]
    return second // grid * grid


@register_jitable
def _add(columns: Any, letters: Any, first: Any, hops: Any, start: Any, value: Any, time: Any) -> Any:
    """Brings a value into the hop with a start, or into a new one at its place. Returns the first place, and how many
    there are."""
    place = first
    while place < first + hops and columns[place * COLUMNS + _START] > start:
        place += 1
    if place == first + hops or columns[place * COLUMNS + _START] != start:
        for word in range(first * COLUMNS, place * COLUMNS):  # towards the free place before all
            columns[word - COLUMNS] = columns[word]
        first, hops, place = first - 1, hops + 1, place - 1
        columns[place * COLUMNS + _START] = start
        columns[place * COLUMNS + _COUNT] = columns[place * COLUMNS + _TOTAL] = columns[place * COLUMNS + _SQUARES] = 0
        columns[place * COLUMNS + _FIRST_MS], columns[place * COLUMNS + _FIRST] = time, value
        columns[place * COLUMNS + _LOW] = _63_BITS if place == first else columns[(place - 1) * COLUMNS + _LOW]
        columns[place * COLUMNS + _HIGH] = -_63_BITS - 1 if place == first else columns[(place - 1) * COLUMNS + _HIGH]
    columns[place * COLUMNS + _COUNT] += 1
    if letters & TOTAL:
        columns[place * COLUMNS + _TOTAL] += value
    if letters & SQUARES:
        columns[place * COLUMNS + _SQUARES] += value * value
    if letters & FIRST and time < columns[place * COLUMNS + _FIRST_MS]:
        columns[place * COLUMNS + _FIRST_MS], columns[place * COLUMNS + _FIRST] = time, value
    if letters & LOW:
        for older in range(place, first + hops):
            if columns[older * COLUMNS + _LOW] <= value:
                break
            columns[older * COLUMNS + _LOW] = value
    if letters & HIGH:
        for older in range(place, first + hops):
            if columns[older * COLUMNS + _HIGH] >= value:
                break
            columns[older * COLUMNS + _HIGH] = value
    return first, hops


@register_jitable
def _write_head(
    made: Any,
    at: Any,
    letters: Any,
    hop_s: Any,
    hops: Any,
    start: Any,
    as_of: Any,
    limit: Any,
    newest_ms: Any,
    newest: Any,
) -> Any:
    """What stands before the hops, as `_head` finds it. Returns the place after it."""
    at = _write(made, at, hop_s)
    at = _write(made, at, hops)
    if hops:
        at = _write(made, at, _zigzag(start))
    if as_of == 0 and limit == FIRST_SLACK:
        at = _write(made, at, 0)
    else:
        at = _write(made, at, 1 + _zigzag(as_of - start))
        at = _write(made, at, limit)
    if letters & NEWEST:
        at = _write(made, at, _zigzag(newest_ms - start * 1000))
        at = _write(made, at, _zigzag(newest))
    return at


@register_jitable
def _write_hops(made: Any, at: Any, letters: Any, columns: Any, first: Any, hops: Any) -> Any:
    """The hops from the first on, as `_hops` finds them. Returns the place after them."""
    for place in range(first, first + hops):
        if place > first:
            at = _write(made, at, columns[(place - 1) * COLUMNS + _START] - columns[place * COLUMNS + _START])
        if letters & COUNT:
            at = _write(made, at, columns[place * COLUMNS + _COUNT])
        if letters & TOTAL:
            at = _write(made, at, _zigzag(columns[place * COLUMNS + _TOTAL]))
        if letters & LOW:
            low = columns[place * COLUMNS + _LOW]
            at = _write(made, at, columns[(place - 1) * COLUMNS + _LOW] - low if place > first else _zigzag(low))
        if letters & HIGH:
            high = columns[place * COLUMNS + _HIGH]
            at = _write(made, at, high - columns[(place - 1) * COLUMNS + _HIGH] if place > first else _zigzag(high))
        if letters & SQUARES:
            at = _write(made, at, _zigzag(columns[place * COLUMNS + _SQUARES]))
        if letters & FIRST:
            at = _write(
                made, at, _zigzag(columns[place * COLUMNS + _FIRST_MS] - columns[place * COLUMNS + _START] * 1000)
            )
            at = _write(made, at, _zigzag(columns[place * COLUMNS + _FIRST]))
    return at


def _fold(flat: Any, work: Any) -> Any:
    end = len(flat)
    if end:
        if end < 4:
            return UNSOUND
        if _tag_at(flat, 0) != work[LAYOUT]:
            return OTHER_LAYOUT
    time, clock = work[TIME], work[CLOCK]
    if time < 0:
        return DECLINED
    second = time // 1000
    table = TABLE + 3 * work[WINDOWS]
    columns = work[work[COLUMNS_AT] :]
    made = work[work[BYTES_AT] :].view(np.uint8)
    room = work[CAPACITY]
    for place in range(4):
        made[place] = np.uint8((work[LAYOUT] >> (8 * place)) & 255)
    to, at, late = 4, 4, 0
    for number in range(work[STATES]):
        tag, letters, hop_s, reaches = work[table], work[table + 1], work[table + 2], work[table + 4]
        value = work[VALUES + work[table + 3]]
        spans = table + 7
        table += work[table + 6]
        body_end = at
        is_there = at + STATE_HEAD <= end and _tag_at(flat, at) == tag
        if is_there:
            body_end = _body_end(flat, at)
            if body_end > end or flat[at + 6] != letters:
                return UNSOUND
        if not (work[MASK] >> number) & 1:
            if to + body_end - at > room:
                return DECLINED
            to = _copy(flat, at, body_end, made, to)
            at = body_end
            continue
        if not -_BIG < value < _BIG or (letters & SQUARES and not -_ROOT < value < _ROOT):
            return DECLINED
        first, hops, held, start, as_of, limit, newest_ms, newest = 1, 0, 0, 0, 0, FIRST_SLACK, -1, 0
        rest = body_end
        if is_there:
            hops, start, as_of, limit, newest_ms, newest, rest = _head(flat, at + STATE_HEAD, body_end, letters)
            if not 0 <= hops <= MOST_HOPS or rest > body_end:
                return DECLINED
        own = second // hop_s * hop_s if hop_s else 0
        if hops:
            own = max(own, start)
        is_full = time >= clock and hops >= limit and own > start
        if hops:
            needs = ALL if is_full or time < clock else value
            held, rest = _hops(flat, rest, body_end, letters, columns, hops, start, 1, -_63_BITS, needs)
            if rest > body_end or held == 0 or _is_big(columns, letters, 1, held):
                return DECLINED
        if is_full:
            held = hops = _regroup(work, columns, spans, reaches, letters, held, clock // 1000)
            if hops < 0:
                return DECLINED
            as_of, limit = clock // 1000, hops + max(FIRST_SLACK, hops // 4)
        dropped = 0
        if time < clock:
            for reach in range(spans, spans + 3 * reaches, 3):
                if second < (clock // 1000 - work[reach]) // work[reach + 1] * work[reach + 1]:
                    dropped += 1
            late += dropped
            own = _own_start(work, spans, reaches, as_of, second)
        if dropped < reaches:
            more = held
            first, held = _add(columns, letters, first, held, own, value, time)
            hops += held - more
            if letters & NEWEST and time >= newest_ms:
                newest_ms, newest = time, value
        if hops > MOST_HOPS or to + MOST_HEAD_BYTES + held * MOST_HOP_BYTES + body_end - rest > room:
            return DECLINED
        body = to + STATE_HEAD
        start = columns[first * COLUMNS + _START] if hops else 0
        after = _write_head(made, body, letters, hop_s, hops, start, as_of, limit, newest_ms, newest)
        after = _write_hops(made, after, letters, columns, first, held)
        after = _copy(flat, rest, body_end, made, after)  # the hops of which nothing changes
        at = body_end
        if after - body > MOST_BODY:
            return DECLINED
        for place in range(4):
            made[to + place] = np.uint8((tag >> (8 * place)) & 255)
        made[to + 4] = np.uint8((after - body) & 255)
        made[to + 5] = np.uint8((after - body) >> 8)
        made[to + 6] = np.uint8(letters)
        to = after
    work[LATE] = late
    return to if at >= end else UNSOUND


def _check(flat: Any) -> Any:
    end = len(flat)
    if end == 0:
        return 0
    at = 4
    while at + STATE_HEAD <= end:
        letters = np.int64(flat[at + 6])
        body_end = _body_end(flat, at)
        at += STATE_HEAD
        if body_end > end or letters > 127:
            return UNSOUND
        hops, _, _, _, _, _, at = _head(flat, at, body_end, letters)
        if hops < 0 or hops > MOST_BODY:
            return UNSOUND
        numbers = hops * _per_hop(letters) - (1 if hops else 0)
        for _ in range(numbers):
            length = 1
            while at < body_end and flat[at] > 127:
                at += 1
                length += 1
            at += 1
            if at > body_end or length > 20:
                return UNSOUND
        if at != body_end:
            return UNSOUND
    return 0 if at == end > 4 else UNSOUND


@register_jitable
def _per_hop(letters: Any) -> Any:
    """How many numbers a hop has, its start among them."""
    numbers = 1
    for letter in (COUNT, TOTAL, LOW, HIGH, SQUARES):
        if letters & letter:
            numbers += 1
    return numbers + 2 if letters & FIRST else numbers


def _stamp() -> Any:
    return _STAMP


INTERPRETED: Final = Kernels(_read, _fold, _check, _stamp)
"""The same, run by Python: a thousand times slower, but numpy checks every index. For tests."""
