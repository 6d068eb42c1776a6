from math import exp, log

from hypothesis import given, strategies as st

from fraudbrain_shared.controls import Start
from fraudbrain_shared.tuners import Observation
from fraudbrain_shared.tuners.budget import bin_of, lower_edge
from tests.unit.tuners.tuned import HOUR, T0, shuffled_and_cut, state_of, tuner

BUDGET = tuner("review_score")
START = Start(0.5, "7")
scores = st.lists(
    st.builds(
        lambda time, score, release: Observation("review_score", "", T0 + time, score, release),
        st.integers(0, 6 * HOUR),
        st.floats(0.0, 1.0),
        st.sampled_from(["6", "7"]),
    ),
    max_size=60,
)


@given(scores, st.integers(0, 8), st.integers(0, 99))
def test_the_threshold_is_the_lowest_that_keeps_the_budget(seen: list[Observation], hour: int, seed: int) -> None:
    tick = T0 + hour * HOUR
    inside = [each.value for each in seen if each.release == "7" and tick - 2 * HOUR <= each.time < tick]
    suggestion = BUDGET.suggest(shuffled_and_cut(BUDGET, seen, seed), tick, START)
    if not inside:
        assert suggestion is None
        return
    assert suggestion is not None
    assert suggestion.evidence["count"] == len(inside)
    threshold_bin = round(32 * (log(suggestion.value) - log(1 - suggestion.value)))
    reached = sum(bin_of(score) >= threshold_bin for score in inside)
    assert reached == suggestion.evidence["reached"] <= 0.1 * len(inside)
    next_lower = max((bin_of(score) for score in inside if bin_of(score) < threshold_bin), default=None)
    if next_lower is not None:
        assert sum(bin_of(score) >= next_lower for score in inside) > 0.1 * len(inside)


@given(scores, st.integers(0, 8), st.integers(0, 4))
def test_forgetting_what_no_later_tick_reads_changes_no_suggestion(
    seen: list[Observation], hour: int, later: int
) -> None:
    state, trimmed = state_of(BUDGET, seen), state_of(BUDGET, seen)
    BUDGET.trim(trimmed, T0 + hour * HOUR)
    tick = T0 + (hour + later) * HOUR
    assert BUDGET.suggest(trimmed, tick, START) == BUDGET.suggest(state, tick, START)
    assert all(index >= (T0 + (hour - 2) * HOUR) // HOUR for hops in trimmed.bins.values() for index in hops)


@given(scores, st.integers(-2, 9), st.integers(0, 9))
def test_every_tick_with_a_suggestion_is_due(seen: list[Observation], after: int, hours: int) -> None:
    state = state_of(BUDGET, seen)
    ticks = [T0 + (after + hour) * HOUR for hour in range(1, hours + 1)]
    asked = {tick for tick in ticks if BUDGET.suggest(state, tick, START)}
    assert asked <= set(BUDGET.due(state, T0 + after * HOUR, T0 + (after + hours) * HOUR)) <= set(ticks)


@given(st.floats(1e-5, 1 - 1e-5))
def test_a_bin_is_three_percent_of_the_odds(score: float) -> None:
    low, high = lower_edge(bin_of(score)), lower_edge(bin_of(score) + 1)
    assert low * (1 - 1e-12) <= score <= high * (1 + 1e-12)
    odds = [each / (1 - each) for each in (low, high)]
    assert 0.999 < odds[1] / odds[0] / exp(1 / 32) < 1.001


def test_a_tenth_of_even_scores_lies_above_nine_tenths() -> None:
    seen = [Observation("review_score", "", T0, each / 1_000, "7") for each in range(1_000)]
    suggestion = BUDGET.suggest(state_of(BUDGET, seen), T0 + HOUR, START)
    assert suggestion is not None
    assert 0.896 <= suggestion.value <= 0.904
