from math import comb

import pytest
from hypothesis import given, strategies as st

from fraudbrain_shared.controls import Start
from fraudbrain_shared.tuners import Observation
from fraudbrain_shared.tuners.surge import binomial_tail
from tests.unit.tuners.tuned import DAY, HOUR, MINUTE, T0, shuffled_and_cut, state_of, tuner

SURGE = tuner("surge_factor")
START = Start(4.0)
SHARE = 1 / (1 + 7 * 24)


def at(*times: int) -> list[Observation]:
    return [Observation("surge_factor", "t", T0 + time) for time in times]


events = st.lists(st.integers(0, 9 * DAY) | st.integers(8 * DAY, 8 * DAY + 2 * HOUR), max_size=40)


@given(events, st.integers(0, 9 * 24 * 60), st.integers(0, 99))
def test_the_suggestion_is_the_naive_one_whatever_the_order(times: list[int], minute: int, seed: int) -> None:
    tick = minute * MINUTE
    recent = sum(tick - HOUR <= time < tick for time in times)
    end = (tick - HOUR) // HOUR * HOUR
    before = sum(end - 7 * DAY <= time < end for time in times)
    suggestion = SURGE.suggest(shuffled_and_cut(SURGE, at(*times), seed), T0 + tick, START)
    if recent < 5:
        assert suggestion is None
        return
    assert suggestion is not None
    probability = naive_tail(recent, recent + before, SHARE)
    assert suggestion.value == (2.0 if probability < 1e-6 else 4.0)
    assert suggestion.evidence == {"count": recent, "before": before, "probability": pytest.approx(probability)}


@given(events, st.integers(0, 9 * 24), st.integers(0, 48))
def test_forgetting_what_no_later_tick_reads_changes_no_suggestion(times: list[int], hour: int, later: int) -> None:
    state, trimmed = state_of(SURGE, at(*times)), state_of(SURGE, at(*times))
    SURGE.trim(trimmed, T0 + hour * HOUR)
    tick = T0 + (hour + later) * HOUR
    assert SURGE.suggest(trimmed, tick, START) == SURGE.suggest(state, tick, START)


@given(st.lists(st.integers(0, 2 * HOUR), max_size=12), st.integers(0, 240), st.integers(0, 240))
def test_every_tick_with_a_suggestion_is_due(times: list[int], after: int, minutes: int) -> None:
    state = state_of(SURGE, at(*times))
    ticks = [T0 + (after + minute) * MINUTE for minute in range(1, minutes + 1)]
    asked = {tick for tick in ticks if SURGE.suggest(state, tick, START)}
    due = list(SURGE.due(state, T0 + after * MINUTE, T0 + (after + minutes) * MINUTE))
    assert asked <= set(due) <= set(ticks)
    assert due == sorted(set(due))


def test_a_burst_at_a_quiet_entity_is_a_surge_and_a_busy_hour_at_a_busy_one_is_not() -> None:
    burst = [8 * DAY + minute * MINUTE for minute in range(6)]
    quiet = [day * DAY for day in range(7)]
    busy = [day * DAY + hour * HOUR for day in range(8) for hour in range(24) for _ in range(4)]
    tick = T0 + 8 * DAY + 10 * MINUTE
    for past, value in ((quiet, 2.0), (busy, 4.0)):
        suggestion = SURGE.suggest(state_of(SURGE, at(*past, *burst)), tick, START)
        assert suggestion is not None
        assert suggestion.value == value


@given(st.integers(0, 30), st.integers(0, 60), st.floats(0.001, 0.999))
def test_the_tail_is_the_sum_of_its_terms(least: int, trials: int, chance: float) -> None:
    assert binomial_tail(least, trials, chance) == pytest.approx(
        naive_tail(least, trials, chance), rel=1e-9, abs=1e-300
    )


def naive_tail(least: int, trials: int, chance: float) -> float:
    return sum(comb(trials, each) * chance**each * (1 - chance) ** (trials - each) for each in range(least, trials + 1))
