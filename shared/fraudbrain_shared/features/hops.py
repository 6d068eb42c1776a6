"""Windows made of hops: what a feature keeps of the events of a subject or an entity.

A window of length L and hop h, read at time t, holds the hops from floor((t − L) / h) on: its new
end moves with time, its old end in steps, so what is kept is bounded whatever the rate of events.
"""

from bisect import bisect_left
from copy import copy
from typing import Annotated

import msgspec

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

Number = Annotated[int, msgspec.Meta(ge=INT64_MIN, le=INT64_MAX)] | float


class Hop(msgspec.Struct, array_like=True, gc=False):
    """The events of one hop: how many, and sum, least and greatest of their values."""

    index: int
    count: int
    total: Number
    low: Number
    high: Number


class WindowState(msgspec.Struct, array_like=True, gc=False):
    """The non-empty hops in order of time, and the event with the largest time."""

    hops: list[Hop]
    last_value: Number = 0
    last_time: int = -1


class Summary(msgspec.Struct, gc=False):
    """What a window holds at one moment. `low`, `high`, `last` mean nothing while `count` is 0."""

    count: int = 0
    total: Number = 0
    low: Number = 0
    high: Number = 0
    last: Number = 0
    last_time: int = -1


def add(state: WindowState, value: Number, time: int, *, first: int, hop_ms: int) -> bool:
    """Adds an event's value at its time, UTC ms, and drops the hops before `first`.

    Returns False, with the state unchanged, if the event's own hop is no longer kept.
    """
    index = time // hop_ms
    if index < first:
        return False
    hops = state.hops
    if hops and hops[0].index < first:
        del hops[: bisect_left(hops, first, key=_index)]
    _add_to_hop(hops, index, value)
    if time >= state.last_time:
        state.last_time = time
        state.last_value = value
    return True


def _add_to_hop(hops: list[Hop], index: int, value: Number) -> None:
    place = len(hops)
    if hops and hops[-1].index >= index:  # almost always the newest hop; else a late event's
        place = bisect_left(hops, index, key=_index)
    if place == len(hops) or hops[place].index != index:
        hops.insert(place, Hop(index, 1, value, value, value))
        return
    hop = hops[place]
    hop.count += 1
    hop.total = bounded(hop.total + value)
    if value < hop.low:
        hop.low = value
    if value > hop.high:
        hop.high = value


def summarise(state: WindowState, *, first: int, hop_ms: int) -> Summary:
    """Joins the hops from `first` on."""
    hops = state.hops
    if hops and hops[0].index < first:  # those are dropped at the next event
        hops = hops[bisect_left(hops, first, key=_index) :]
    if not hops:
        return Summary()
    count = 0
    total: Number = 0
    low = high = hops[0].low
    for hop in hops:
        count += hop.count
        total += hop.total
        if hop.low < low:
            low = hop.low
        if hop.high > high:
            high = hop.high
    summary = Summary(count, bounded(total), low, high)
    if state.last_time // hop_ms >= first:
        summary.last, summary.last_time = state.last_value, state.last_time
    return summary


def hops_between(state: WindowState, first: int, end: int) -> list[Hop]:
    """The hops from `first` on and before `end`."""
    hops = state.hops
    return hops[bisect_left(hops, first, key=_index) : bisect_left(hops, end, key=_index)]


def joined(left: WindowState, right: WindowState) -> WindowState:
    """The state of both histories together, whichever stands left; of two last events with one time the
    larger value is the last. Changes neither."""
    hops: dict[int, Hop] = {}
    for hop in (*left.hops, *right.hops):
        other = hops.get(hop.index)
        if other is None:
            hops[hop.index] = hop
        else:
            hops[hop.index] = Hop(
                hop.index,
                other.count + hop.count,
                bounded(other.total + hop.total),
                min(other.low, hop.low),
                max(other.high, hop.high),
            )
    last_time, last_value = max((left.last_time, left.last_value), (right.last_time, right.last_value))
    in_order = sorted(hops.values(), key=_index)
    return WindowState([copy(hop) for hop in in_order], last_value, last_time)


def bounded(total: Number) -> Number:
    """Sums of integers stop at the bounds of a signed 64-bit integer, the widest that a row can hold."""
    if isinstance(total, int):
        return min(max(total, INT64_MIN), INT64_MAX)
    return total


def _index(hop: Hop) -> int:
    return hop.index
