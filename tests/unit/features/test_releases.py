"""What a new release of a scenario does to what was folded under the old one."""

from typing import Any

from hypothesis import given, strategies as st

from fraudbrain_shared.features import Profile, ProfileFold, decode_profile, encode_profile
from fraudbrain_shared.scenario.description import LastValues, Lifetime, Scenario, Window
from fraudbrain_shared.scenario.scope import profile_reads
from tests.parity.features.history import EMPTY, FIVE_MINUTES, LONG, MINUTE, T0, event, histories, with_feature

READS = ("count", "sum", "max", "first", "distinct", "streak")
FINER = Window(120_000, 4_000)


def scenario_of(*names: str) -> Scenario:
    spans: dict[str, Any] = {
        **{"minute": MINUTE, "five": FIVE_MINUTES, "long": LONG, "finer": FINER},
        **{"life": Lifetime(), "trip": "event.trip", "last": LastValues(3)},
    }
    scenario = EMPTY
    for name in names:
        scenario = with_feature(scenario, name, spans[name], READS, value="event.amount")
    return scenario


def read(scenario: Scenario, fold: ProfileFold, profile: Profile, now: Any) -> dict[str, Any]:
    return dict(zip(profile_reads(scenario), fold.read(profile, now), strict=True))


def payment(time: int, **fields: Any) -> Any:
    return event(T0 + time, **({"amount": 7, "rate": None, "shop": "a", "trip": "x", "online": True} | fields))


@given(histories(late=False), histories(late=False, most=30), st.integers(0, 600_000))
def test_features_that_stay_do_not_notice_others_come_and_go(
    before: list[Any], after: list[Any], quiet_ms: int
) -> None:
    old, new = scenario_of("minute", "five", "life", "last"), scenario_of("last", "long", "five", "finer", "trip")
    kept = scenario_of("five", "last")
    since = {name: T0 for name in ("long", "finer", "trip")}
    folds = ProfileFold(old), ProfileFold(new, since), ProfileFold(kept)
    moved, stayed = Profile("c"), Profile("c")
    for each in before:
        folds[0].fold(moved, each)
        folds[2].fold(stayed, each)
    moved = decode_profile(encode_profile(moved))
    clock = max((each.event_time for each in before), default=T0)
    for each in after:
        each.event_time += clock - T0
        folds[1].fold(moved, each)
        folds[2].fold(stayed, each)
    now = payment(max(moved.clock, 0) + quiet_ms)
    found = read(new, folds[1], moved, now)
    assert {name: found[name] for name in profile_reads(kept)} == read(kept, folds[2], stayed, now)


@given(histories(late=False), histories(late=False, most=30), st.integers(0, 600_000))
def test_a_new_window_is_unknown_until_it_reaches_no_further_than_its_deploy(
    before: list[Any], after: list[Any], quiet_ms: int
) -> None:
    old, new, whole = scenario_of("minute"), scenario_of("minute", "five"), scenario_of("five")
    deployed = max((each.event_time for each in before), default=T0) + 1
    folds = ProfileFold(old), ProfileFold(new, {"five": deployed}), ProfileFold(whole)
    moved, judge = Profile("c"), Profile("c")
    for each in before:
        folds[0].fold(moved, each)
        folds[2].fold(judge, each)
    moved = decode_profile(encode_profile(moved))
    for each in after:
        each.event_time += deployed - T0
        folds[1].fold(moved, each)
        folds[2].fold(judge, each)
    now = payment(0)
    now.event_time = max(judge.clock, deployed) + quiet_ms
    is_known = (now.event_time - FIVE_MINUTES.length_ms) // FIVE_MINUTES.hop_ms * FIVE_MINUTES.hop_ms >= deployed
    judged = read(whole, folds[2], judge, now)
    if not is_known:
        judged = dict.fromkeys(judged)
    found = read(new, folds[1], moved, now)
    assert {name: found[name] for name in judged} == judged


def test_a_life_that_began_before_its_deploy_is_never_known() -> None:
    fold = ProfileFold(scenario_of("life"), {"life": T0})
    profile = Profile("c")
    fold.fold(profile, payment(1))
    assert set(fold.read(profile, payment(2))) == {None}


def test_last_values_are_known_once_there_are_enough() -> None:
    fold = ProfileFold(scenario_of("last"), {"last": T0})
    profile = Profile("c")
    counts = []
    for time in range(5):
        counts.append(fold.read(profile, payment(time))[0])
        fold.fold(profile, payment(time))
    assert counts == [None, None, None, 3, 3]


def test_what_is_within_a_key_is_known_once_that_has_changed() -> None:
    fold = ProfileFold(scenario_of("trip"), {"trip": T0})
    profile = Profile("c")
    counts = []
    for time, trip in enumerate(("x", "x", None, "y", "y", "z")):
        counts.append(fold.read(profile, payment(time, trip=trip))[0])
        fold.fold(profile, payment(time, trip=trip))
    assert counts == [None, None, None, 0, 1, 0]


def test_the_beginning_of_time_is_no_limit() -> None:
    fold = ProfileFold(scenario_of("life"), {"life": 0, "gone": T0})
    assert fold.read(Profile("c"), payment(1)) == (0, 0, None, None, 0, 0)
