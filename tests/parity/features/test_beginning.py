"""Over a log that lost its beginning a read is unknown, or what the whole log says."""

from typing import Any

from hypothesis import given, settings

from fraudbrain_shared.features import Profile, ProfileFold
from fraudbrain_shared.scenario.beginning import NEVER, beginning_at
from fraudbrain_shared.scenario.description import Window
from fraudbrain_shared.scenario.scope import profile_reads
from tests.parity.features.history import ALL, LONG, MINUTE, T0, event, histories

WHOLE = ProfileFold(ALL)
NAMES = profile_reads(ALL)


@settings(max_examples=40)
@given(histories(most=25), histories(late=False, least=1))
def test_what_is_not_unknown_is_as_the_whole_log_says(lost: list[Any], kept: list[Any]) -> None:
    compare(lost, kept, set(NAMES))


@settings(max_examples=40)
@given(histories(most=25), histories(least=1))
def test_late_events_change_nothing_of_that_in_windows(lost: list[Any], kept: list[Any]) -> None:
    """A late event that is the first to bring a key within which something is kept is taken, since nobody knows that
    there was another."""
    windows = [each for each in ALL.profile.values() if isinstance(each.span, Window)]
    compare(lost, kept, {name for each in windows for name in each.read_names()})


def compare(lost: list[Any], kept: list[Any], names: set[str]) -> None:
    since = max((each.event_time for each in lost), default=T0) + 1
    scenario, known_from = beginning_at(ALL, since)
    fold = ProfileFold(scenario, known_from)
    judge, profile = Profile("c"), Profile("c")
    for each in lost:
        WHOLE.fold(judge, each)
    for each in kept:
        each.event_time += since - T0
        told = dict(zip(NAMES, fold.read(profile, each), strict=True))
        true = dict(zip(NAMES, WHOLE.read(judge, each), strict=True))
        for name in names:
            value = told[name]
            assert value is None or value == true[name] or _close(value, true[name]), name
        fold.fold(profile, each)
        WHOLE.fold(judge, each)


def _close(value: Any, other: Any) -> bool:
    """Doubles that were added in another order; a sketch that was joined from others."""
    return isinstance(value, float) and isinstance(other, float) and abs(value - other) <= 1e-6 * max(1.0, abs(other))


def test_everything_is_known_again_once_windows_have_passed_what_is_lost() -> None:
    scenario, known_from = beginning_at(ALL, T0)
    fold, profile = ProfileFold(scenario, known_from), Profile("c")
    later = LONG.length_ms + LONG.hop_ms + MINUTE.length_ms + MINUTE.hop_ms
    fields: dict[str, Any] = {"amount": 1, "rate": 1.0, "shop": "a", "trip": "x", "online": True}
    told = dict(zip(NAMES, fold.read(profile, event(T0 + later, **fields)), strict=True))
    assert (told["amount_minute_count"], told["amount_long_sum"], told["often_count"]) == (0, 0, 0)
    assert (told["amount_life_count"], told["crowd_count"], told["over_usual_count"]) == (None, None, None)


def test_what_is_folded_by_what_was_read_is_known_later_than_that() -> None:
    _, known_from = beginning_at(ALL, T0)
    ids = {name: each.id for name, each in ALL.profile.items()}
    assert known_from[ids["amount_five"]] == T0
    assert known_from[ids["often"]] == T0 + MINUTE.length_ms + MINUTE.hop_ms
    assert {known_from[ids[name]] for name in ("over_usual", "shop_before", "crowd")} == {NEVER}


def test_a_whole_log_leaves_the_scenario_as_it_is() -> None:
    assert beginning_at(ALL, 0) == (ALL, {})
