"""Flat states: the kernel does what Python does, with whatever bytes."""

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from fraudbrain_shared.features import Profile, ProfileFold, decode_profile, encode_profile, flat_kernel
from fraudbrain_shared.features.flat_kernel import INTERPRETED, Kernels
from fraudbrain_shared.features.flat_layout import CLOCK, MASK, TIME, VALUES
from fraudbrain_shared.features.flat_states import FlatStates, packed, spell_out
from fraudbrain_shared.scenario.description import Lifetime, Scenario, Window
from fraudbrain_shared.scenario.profile_state import state_shapes
from tests.parity.features.history import (
    EMPTY,
    FIVE_MINUTES,
    LONG,
    MINUTE,
    T0,
    UNEVEN,
    event,
    histories,
    with_feature,
)

READS = ("count", "sum", "mean", "min", "max", "stddev", "first", "last", "seconds_since")
LAYOUT = 7


def scenario_of(*windows: Window | Lifetime) -> Scenario:
    scenario = EMPTY
    for number, window in enumerate(windows):
        reads = READS if number % 2 else ("count", "sum", "max", "last")
        scenario = with_feature(scenario, f"all_{number}", window, reads, value="event.amount")
        scenario = with_feature(
            scenario, f"some_{number}", window, reads[:-2], value="event.amount", where="event.online"
        )
    return with_feature(scenario, "logins", windows[0], ("count",), on="login")


SCENARIO = scenario_of(MINUTE, FIVE_MINUTES, UNEVEN, LONG, Lifetime())
BOUNDED = scenario_of(MINUTE, LONG)
FOLD = ProfileFold(SCENARIO)


def declining(kernels: Kernels) -> Kernels:
    return kernels._replace(read=lambda flat, work, now: -1, fold=lambda flat, work: -1)


def fold_by(kernels: Kernels, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> ProfileFold:
    monkeypatch.setattr(flat_kernel, "kernels", lambda: kernels)
    fold = ProfileFold(scenario)
    monkeypatch.undo()
    return fold


@pytest.fixture(scope="module")
def by_python() -> list[tuple[ProfileFold, ProfileFold]]:
    """Folds by the kernel, each with one by `SharedHops` alone."""
    with pytest.MonkeyPatch.context() as patch:
        slow = declining(flat_kernel.kernels())
        return [(ProfileFold(each), fold_by(slow, each, patch)) for each in (SCENARIO, BOUNDED)]


def assert_same(folds: Sequence[ProfileFold], history: list[Any]) -> None:
    one, other = Profile("c"), Profile("c")
    for each in history:
        readings = folds[0].read(one, each)
        again = folds[1].read(other, each)
        assert readings == again
        assert list(map(type, readings)) == list(map(type, again))
        folds[0].fold(one, each)
        folds[1].fold(other, each)
        assert one.flat == other.flat
        assert one.late_dropped == other.late_dropped
    states = list(spell_out(one.flat))
    assert packed(folds[0]._layout, states) == one.flat


@settings(deadline=None, max_examples=60)
@given(histories())
def test_the_kernel_folds_and_reads_as_python_does(by_python: Any, history: list[Any]) -> None:
    for folds in by_python:
        assert_same(folds, history)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32), st.sampled_from([0, 1, 3]))
def test_so_it_does_where_hops_are_put_together(by_python: Any, seed: int, hundreds: int) -> None:
    """Amounts of 10 to 63 bits, up to 300 events, with hops that are left by one window after the other."""
    random, time, history = Random(seed), T0, []
    for _ in range(hundreds * 100):
        time += random.choice((0, 9_000, 40_000, 200_000))
        late = random.choice((0, 0, 0, random.randrange(900_000)))
        amount = random.getrandbits(random.choice((10, 10, 10, 40, 63))) * random.choice((-1, 1))
        history.append(payment(time - late, amount, online=random.random() < 0.5))
    for folds in by_python:
        assert_same(folds, history)


def payment(time: int, amount: int = 100, **fields: Any) -> Any:
    return event(time, **({"amount": amount, "rate": None, "shop": "a", "trip": "x", "online": True} | fields))


def busy(events: int) -> Profile:
    random, profile, time = Random(events), Profile("c"), T0
    for _ in range(events):
        time += random.choice((0, 9_000, 40_000))
        FOLD.fold(profile, payment(time, random.getrandbits(random.randrange(1, 40)), online=random.random() < 0.5))
    return profile


@pytest.mark.parametrize("events", [1, 5, 60])
def test_states_that_are_cut_anywhere_are_refused(events: int) -> None:
    profile = busy(events)
    flat = profile.flat
    whole = {0} | {len(packed(LAYOUT, list(spell_out(flat))[:count])) for count in range(1, 9)}
    for length in set(range(len(flat))) - whole:
        profile.flat = flat[:length]
        with pytest.raises(msgspec.DecodeError, match="fold the events again"):
            decode_profile(encode_profile(profile))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([1, 5, 60]), st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=6))
def test_spoilt_states_are_refused_or_are_others(events: int, spoilt: list[tuple[int, int]]) -> None:
    profile = busy(events)
    flat = bytearray(profile.flat)
    for place, byte in spoilt:
        flat[place % len(flat)] = byte
    assert_no_byte_beyond(bytes(flat))
    profile.flat = bytes(flat)
    try:
        decoded = decode_profile(encode_profile(profile))
    except msgspec.DecodeError:
        return
    for state in spell_out(decoded.flat):
        assert len(state) == 5 + len(state[1].lstrip("0123456789"))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=120))
def test_whatever_bytes_come_none_is_read_beyond_them(noise: bytes) -> None:
    assert_no_byte_beyond(noise)
    assert_no_byte_beyond(busy(1).flat[:11] + noise)


def assert_no_byte_beyond(flat: bytes) -> None:
    """By the kernels' own code, whose every index Python checks; machine code and Python agree besides."""
    states = FlatStates(FOLD._layout, state_shapes(SCENARIO.profile.values()))
    compiled = flat_kernel.kernels()
    with np.errstate(all="ignore"):
        assert INTERPRETED.check(flat) == compiled.check(flat)
        for now in (T0, T0 + 10_000_000):
            assert INTERPRETED.read(flat, states.work, now) == compiled.read(flat, states.work, now)
            states.work[[TIME, CLOCK, MASK]] = now, T0 + 5_000, 7
            states.work[VALUES] = 5
            assert INTERPRETED.fold(flat, states.work) == compiled.fold(flat, states.work)


def test_a_state_of_more_than_the_kernel_can_hold_is_left_to_python() -> None:
    fold = ProfileFold(with_feature(EMPTY, "long", Window(86_400_000, 1_000), ("count", "sum"), value="event.amount"))
    profile = Profile("c")
    for second in range(2_100):
        fold.fold(profile, payment(T0 + second * 1_000, 2))
    assert fold.read(profile, payment(T0 + 2_100_000)) == (2_100, 4_200)


@pytest.mark.parametrize("before", [("count", "sum"), ("count", "sum", "distinct")])
@pytest.mark.parametrize("after", [("count", "sum"), ("count", "sum", "distinct"), ("first", "sum", "count")])
def test_a_release_takes_over_what_becomes_flat_or_no_longer_is(before: Any, after: Any) -> None:
    old, new = (
        ProfileFold(with_feature(with_feature(EMPTY, "a", LONG, reads, value="event.amount"), "b", MINUTE, ("max",)))
        for reads in (before, after)
    )
    moved = Profile("c")
    for second in range(50):
        old.fold(moved, payment(T0 + second * 9_000, second))
    moved = decode_profile(encode_profile(moved))
    new.fold(moved, payment(T0 + 450_000, 50))
    readings = new.read(moved, payment(T0 + 460_000))
    assert [readings[after.index(each)] for each in ("count", "sum")] == [51, sum(range(51))]


def test_the_first_value_alone_can_be_kept() -> None:
    fold, profile = ProfileFold(with_feature(EMPTY, "a", LONG, ("first",), value="event.rate")), Profile("c")
    for rate in (1.5, 2.5):
        fold.fold(profile, payment(T0, rate=rate))
    assert fold.read(profile, payment(T0)) == (1.5,)


def test_a_profile_without_other_states_is_never_unpacked() -> None:
    profile = busy(5)
    assert profile.states is None
    row = encode_profile(profile)
    assert decode_profile(row) == profile
    assert encode_profile(decode_profile(row)) == row
