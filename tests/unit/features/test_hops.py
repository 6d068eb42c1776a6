"""Windows of hops against a naive judge that keeps every event."""

from dataclasses import dataclass

import msgspec
from hypothesis import given, strategies as st

from fraudbrain_shared.features.hops import INT64_MAX, WindowState, add, summarise
from fraudbrain_shared.features.reads import READS

HOP_MS = 1_000
WINDOW_MS = 5_000

events = st.lists(st.tuples(st.integers(0, 30_000), st.integers(-1_000, 1_000)), max_size=60)


@dataclass
class Naive:
    """All events with their values, and the largest time so far: obviously right, never forgets."""

    kept: list[tuple[int, int]]
    clock: int = -1

    def add(self, time: int, value: int) -> None:
        self.clock = max(self.clock, time)
        if time // HOP_MS >= first_hop(self.clock):
            self.kept.append((time, value))

    def values(self, now: int) -> list[tuple[int, int]]:
        return [(time, value) for time, value in self.kept if time // HOP_MS >= first_hop(now)]


def first_hop(now: int) -> int:
    return (now - WINDOW_MS) // HOP_MS


@given(events, st.integers(0, 10_000))
def test_every_read_equals_the_naive_one(history: list[tuple[int, int]], quiet_ms: int) -> None:
    state, naive = WindowState([]), Naive([])
    for time, value in history:
        naive.add(time, value)
        add(state, value, time, first=first_hop(naive.clock), hop_ms=HOP_MS)
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=WindowState)
    now = naive.clock + quiet_ms
    summary = summarise(state, first=first_hop(now), hop_ms=HOP_MS)
    inside = [value for _, value in naive.values(now)]
    assert READS["count"](summary, now) == len(inside)
    assert READS["sum"](summary, now) == sum(inside)
    assert READS["mean"](summary, now) == (sum(inside) / len(inside) if inside else None)
    assert READS["min"](summary, now) == (min(inside) if inside else None)
    assert READS["max"](summary, now) == (max(inside) if inside else None)


@given(events)
def test_last_is_the_event_with_the_largest_time_and_of_equals_the_later_one(history: list[tuple[int, int]]) -> None:
    state, naive = WindowState([]), Naive([])
    for time, value in history:
        naive.add(time, value)
        add(state, value, time, first=first_hop(naive.clock), hop_ms=HOP_MS)
    now = max(naive.clock, 0)
    summary = summarise(state, first=first_hop(now), hop_ms=HOP_MS)
    newest = max(naive.values(now), key=lambda event: event[0], default=None)
    if newest is None:
        assert READS["last"](summary, now) is None
        assert READS["seconds_since"](summary, now) is None
    else:
        same_time = [value for time, value in naive.values(now) if time == newest[0]]
        assert READS["last"](summary, now) == same_time[-1]
        assert READS["seconds_since"](summary, now) == (now - newest[0]) // 1_000


@given(events)
def test_no_more_hops_are_kept_than_the_window_has(history: list[tuple[int, int]]) -> None:
    state, naive = WindowState([]), Naive([])
    for time, value in history:
        naive.add(time, value)
        add(state, value, time, first=first_hop(naive.clock), hop_ms=HOP_MS)
        assert len(state.hops) <= WINDOW_MS // HOP_MS + 1


def test_an_event_older_than_the_window_is_refused_and_changes_nothing() -> None:
    state = WindowState([])
    assert add(state, 7, 10_000, first=first_hop(10_000), hop_ms=HOP_MS)
    before = msgspec.msgpack.encode(state)
    assert not add(state, 9, 1_000, first=first_hop(10_000), hop_ms=HOP_MS)
    assert msgspec.msgpack.encode(state) == before


def test_an_int_sum_stops_at_what_a_row_can_hold() -> None:
    state = WindowState([])
    for _ in range(3):
        add(state, INT64_MAX, 0, first=-5, hop_ms=HOP_MS)
    assert summarise(state, first=-5, hop_ms=HOP_MS).total == INT64_MAX
    msgspec.msgpack.encode(state)
