from hypothesis import given, strategies as st

from fraudbrain_shared.controls import Start
from fraudbrain_shared.tuners import Observation
from tests.unit.tuners.tuned import DAY, T0, shuffled_and_cut, state_of, tuner

RATE = tuner("terminal_limit")
START = Start(50_000)
labels = st.lists(
    st.builds(
        lambda time, fraud: Observation("terminal_limit", "t", T0 + time, fraud),
        st.integers(0, 40 * DAY),
        st.integers(0, 1),
    ),
    max_size=40,
)


@given(labels, st.integers(0, 45), st.integers(0, 99))
def test_the_suggestion_is_the_naive_one_whatever_the_order(seen: list[Observation], day: int, seed: int) -> None:
    tick = T0 + day * DAY
    inside = [each.value for each in seen if tick - 28 * DAY <= each.time < tick]
    suggestion = RATE.suggest(shuffled_and_cut(RATE, seen, seed), tick, START)
    if not inside:
        assert suggestion is None
        return
    rate = (sum(inside) + 20 * 0.01) / (len(inside) + 20)
    assert suggestion == (
        50_000 * min(1.0, 0.01 / rate),
        {"count": len(inside), "frauds": sum(inside), "rate": rate},
    )


@given(labels, st.integers(0, 20), st.integers(0, 20))
def test_forgetting_what_no_later_tick_reads_changes_no_suggestion(
    seen: list[Observation], day: int, later: int
) -> None:
    state, trimmed = state_of(RATE, seen), state_of(RATE, seen)
    RATE.trim(trimmed, T0 + day * DAY)
    tick = T0 + (day + later) * DAY
    assert RATE.suggest(trimmed, tick, START) == RATE.suggest(state, tick, START)


@given(labels, st.integers(-5, 60), st.integers(0, 60))
def test_every_tick_with_a_suggestion_is_due(seen: list[Observation], after: int, days: int) -> None:
    state = state_of(RATE, seen)
    span = range(after + 1, after + days + 1)
    asked = [T0 + day * DAY for day in span if RATE.suggest(state, T0 + day * DAY, START)]
    assert list(RATE.due(state, T0 + after * DAY, T0 + (after + days) * DAY)) == asked


def test_good_labels_leave_the_start_and_frauds_lower_it_more_the_more_there_are() -> None:
    values = []
    for frauds in range(6):
        seen = [Observation("terminal_limit", "t", T0, each < frauds) for each in range(20)]
        suggestion = RATE.suggest(state_of(RATE, seen), T0 + DAY, START)
        assert suggestion is not None
        values.append(suggestion.value)
    assert values[0] == 50_000
    assert values == sorted(values, reverse=True)
    assert values[5] < 5_000


def test_one_fraud_among_few_labels_does_not_shout() -> None:
    few = RATE.suggest(state_of(RATE, [Observation("terminal_limit", "t", T0, 1)]), T0 + DAY, START)
    assert few is not None
    assert few.value > 50_000 * 0.1  # not the hundredth that the bare rate of 1 would make it
