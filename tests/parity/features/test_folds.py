"""Online fold = batch fold = naive judge, whatever comes, and wherever states are stored or joined on the way."""

from math import isclose
from typing import Any

from hypothesis import given, settings, strategies as st

from fraudbrain_shared.features import Profile, ProfileFold, decode_profile, encode_profile
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.profile_state import EXACT_DISTINCT
from fraudbrain_shared.scenario.scope import profile_reads
from tests.parity.features.history import ALL, SIMPLE, TRIPS, derive, event, histories, meanings
from tests.parity.features.oracle import Oracle

SIX_ERRORS = 6 * 0.13
MEANINGS = meanings()
FOLDS = {id(each): ProfileFold(each) for each in (ALL, SIMPLE, TRIPS)}
QUIET = event(0, "login", trip=None)
patient = settings(max_examples=40)


def oracle(scenario: Scenario) -> Oracle:
    return Oracle(list(scenario.profile.values()), MEANINGS, derive)


def fold_of(scenario: Scenario) -> ProfileFold:
    return FOLDS[id(scenario)]


def readings(scenario: Scenario, profile: Profile, now: Any) -> dict[str, Any]:
    return dict(zip(profile_reads(scenario), fold_of(scenario).read(profile, now), strict=True))


def assert_same(read: dict[str, Any], judged: dict[str, Any]) -> None:
    assert read.keys() == judged.keys()
    for name, value in read.items():
        if name.endswith("_distinct") and judged.get(f"{name.partition('_')[0]}_life_distinct", 0) > EXACT_DISTINCT:
            assert abs(value - judged[name]) <= 2 + SIX_ERRORS * judged[name], (name, value, judged[name])
        else:
            assert is_same(name, value, judged[name]), (name, value, judged[name])


def is_same(name: str, value: Any, judged: Any) -> bool:
    if not isinstance(value, float) or judged is None:
        return type(value) is type(judged) and bool(value == judged)
    if "life_quantile" in name:
        return isclose(value, judged, rel_tol=0.0101)
    scale = 2.0**64 if name.startswith("amount") else 1e6
    return isclose(value, judged, rel_tol=1e-9, abs_tol=1e-12 * scale)


def folded(scenario: Scenario, history: list[Any]) -> Profile:
    profile = Profile("c")
    for each in history:
        fold_of(scenario).fold(profile, each)
    return profile


@patient
@given(histories(), st.sets(st.integers(0, 60)), st.integers(0, 2_000_000))
def test_every_read_is_what_its_definition_says(history: list[Any], stored: set[int], quiet_ms: int) -> None:
    assert_judged(history, stored, quiet_ms)


@settings(patient, max_examples=4)
@given(histories(least=150, most=200), st.sets(st.integers(0, 200)), st.integers(0, 2_000_000))
def test_so_it_is_for_a_busy_subject(history: list[Any], stored: set[int], quiet_ms: int) -> None:
    assert_judged(history, stored, quiet_ms)


def assert_judged(history: list[Any], stored: set[int], quiet_ms: int) -> None:
    fold, profile, judge = fold_of(ALL), Profile("c"), oracle(ALL)
    for place, each in enumerate(history):
        if place in stored:
            profile = decode_profile(encode_profile(profile))
        assert_same(readings(ALL, profile, each), judge.read(each))
        fold.fold(profile, each)
        judge.fold(each)
        assert profile.late_dropped == judge.late_dropped
    later = event(max(judge.clock, 0) + quiet_ms, "login", trip=None)
    assert_same(readings(ALL, profile, later), judge.read(later))


@patient
@given(histories(), st.sets(st.integers(0, 60)))
def test_neither_reads_nor_storing_change_what_is_folded(history: list[Any], stored: set[int]) -> None:
    fold, online = fold_of(ALL), Profile("c")
    for place, each in enumerate(history):
        if place in stored:
            online = decode_profile(encode_profile(online))
        fold.fold(online, each, fold.read(online, each))
    assert encode_profile(online) == encode_profile(folded(ALL, history))


@patient
@given(histories(), st.integers(0, 60), st.integers(0, 2_000_000))
def test_joined_parts_read_as_the_whole(history: list[Any], cut: int, quiet_ms: int) -> None:
    left, right = folded(SIMPLE, history[:cut]), folded(SIMPLE, history[cut:])
    before = encode_profile(left), encode_profile(right)
    both = fold_of(SIMPLE).joined(left, right)
    assert before == (encode_profile(left), encode_profile(right))
    judge = oracle(SIMPLE)
    for each in history:
        judge.fold(each)
    later = event(max(judge.clock, 0) + quiet_ms, "login", trip=None)
    assert_same(readings(SIMPLE, both, later), judge.read(later))


@patient
@given(histories(late=False), st.integers(0, 60), histories(late=False, most=20))
def test_parts_are_joined_within_a_key_too_and_go_on(history: list[Any], cut: int, more: list[Any]) -> None:
    both = fold_of(TRIPS).joined(folded(TRIPS, history[:cut]), folded(TRIPS, history[cut:]))
    judge = oracle(TRIPS)
    for each in history:
        judge.fold(each)
    for each in more:
        each.event_time += max(judge.clock, 0)
        assert_same(readings(TRIPS, both, each), judge.read(each))
        fold_of(TRIPS).fold(both, each)
        judge.fold(each)
