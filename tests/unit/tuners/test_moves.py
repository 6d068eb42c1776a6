"""Tuner and governor together over a stretch of time, and what records they take note of."""

import itertools
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings, strategies as st

from fraudbrain_shared.controls import ParameterBook, Start, start_of
from fraudbrain_shared.records import ParameterHold, ParameterValue
from fraudbrain_shared.topics import value_key
from fraudbrain_shared.tuners import Observation, Observer, moves
from tests.unit.features.test_context import labelled, payment
from tests.unit.tuners.tuned import DAY, HOUR, MINUTE, SCENARIO, T0, state_of, tuner

LIMIT, FACTOR = SCENARIO.parameters["terminal_limit"], SCENARIO.parameters["surge_factor"]
labels = st.lists(st.tuples(st.integers(0, 40 * DAY), st.integers(0, 1)), max_size=60)


def all_moves(
    seen: list[Observation],
    cuts: list[int],
    *,
    name: str = "terminal_limit",
    trimmed: bool = False,
    start: Start | None = None,
) -> list[ParameterValue]:
    """The records of a stretch that begins at T0 and is cut at the given times; data come as time goes on."""
    parameter, kind = SCENARIO.parameters[name], tuner(name)
    records: list[ParameterValue] = []
    state = kind.empty()
    for after, until in itertools.pairwise(cuts):
        for each in seen:
            if after <= each.time < until or (after == cuts[0] and each.time < after):
                kind.add(state, each)
        last = records[-1] if records else None
        records += moves(
            parameter,
            kind,
            state,
            last,
            after=after,
            until=until,
            since=cuts[0],
            start=start or start_of(parameter),
            id_="t",
        )
        if trimmed:
            kind.trim(state, until)
    return records


@given(labels, st.lists(st.integers(1, 69), max_size=5, unique=True))
def test_one_long_stretch_gives_the_records_of_the_short_ones(seen: list[tuple[int, int]], cuts: list[int]) -> None:
    given_ = [Observation("terminal_limit", "t", T0 + time, fraud) for time, fraud in seen]
    days = [T0 + day * DAY for day in (0, *sorted(cuts), 70)]
    whole = all_moves(given_, [days[0], days[-1]])
    assert all_moves(given_, days, trimmed=True) == whole


def test_frauds_lower_a_limit_step_by_step_and_it_returns_without_them() -> None:
    seen = [Observation("terminal_limit", "t", T0 + day * DAY + HOUR, 1) for day in range(6)]
    records = all_moves(seen, [T0, T0 + 90 * DAY])
    # five labels are there on day 5; the oldest leave the window of 28 days from day 29 on
    assert [(each.tick - T0) // DAY for each in records[:4]] == [5, 6, 7, 8]
    assert [each.value for each in records[:4]] == [25_000, 12_500, 6_250, 3_125]
    assert min(each.value for each in records) >= 500
    assert (records[-1].cause, records[-1].value) == ("expired", 50_000)
    assert all(each.evidence["frauds"] >= 5 for each in records[:-1])


def test_a_surge_is_answered_within_a_tick_and_is_over_by_itself() -> None:
    past = [T0 + day * DAY for day in range(8)]
    burst = [T0 + 8 * DAY + 20 * HOUR + each * 10_000 for each in range(30)]
    seen = [Observation("surge_factor", "t", time) for time in (*past, *burst)]
    records = all_moves(seen, [T0, T0 + 10 * DAY], name="surge_factor")
    assert records[0].tick == burst[0] + MINUTE
    assert (records[0].previous, records[0].value) == (4.0, 2.5)
    assert records[1].value == 2.0
    assert (records[-1].cause, records[-1].value) == ("expired", 4.0)
    assert records[-1].tick <= burst[-1] + 4 * HOUR


def test_a_steady_entity_is_never_moved_not_even_at_the_beginning() -> None:
    seen = [Observation("surge_factor", "t", T0 + hour * HOUR + each) for hour in range(240) for each in range(6)]
    assert all_moves(seen, [T0, T0 + 10 * DAY], name="surge_factor") == []


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(0, 3_599_999), st.integers(0, 99))
def test_steady_traffic_at_any_rate_is_no_surge(rate: int, phase: int, seed: int) -> None:
    """So many events in each hour, anywhere within their part of it."""
    chance, part = Random(seed), HOUR // rate
    parts = [T0 + phase + hour * HOUR + at * part for hour in range(220) for at in range(rate)]
    seen = [Observation("surge_factor", "t", begin + chance.randrange(part)) for begin in parts]
    assert all_moves(seen, [T0, T0 + 9 * DAY], name="surge_factor") == []


@given(st.lists(st.integers(0, 40 * DAY), max_size=200), st.lists(st.integers(0, 1), min_size=4, max_size=4))
def test_good_labels_move_no_limit_and_few_labels_none_at_all(times: list[int], few: list[int]) -> None:
    good = [Observation("terminal_limit", "t", T0 + time, 0) for time in times]
    assert all_moves(good, [T0, T0 + 70 * DAY]) == []
    bad = [Observation("terminal_limit", "t", T0 + at * DAY, fraud) for at, fraud in enumerate(few)]
    assert all_moves(bad, [T0, T0 + 70 * DAY]) == []


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=9))
def test_few_scores_move_no_threshold(scores: list[float]) -> None:
    seen = [Observation("review_score", "", T0, score, "7") for score in scores]
    assert all_moves(seen, [T0, T0 + DAY], name="review_score", start=Start(0.5, "7")) == []


@settings(max_examples=20)
@given(st.lists(st.floats(0.01, 0.99), min_size=10, max_size=40))
def test_a_threshold_comes_to_rest_while_the_same_scores_go_on(scores: list[float]) -> None:
    seen = [Observation("review_score", "", T0 + hour * HOUR, score, "7") for hour in range(96) for score in scores]
    records = all_moves(seen, [T0, T0 + 96 * HOUR], name="review_score", start=Start(0.5, "7"))
    assert len({each.value for each in records if each.tick > T0 + 48 * HOUR}) <= 1
    assert [each.cause for each in records if each.cause == "expired"] == []


def test_a_hold_stops_the_moves() -> None:
    kind = tuner("terminal_limit")
    state = state_of(kind, [Observation("terminal_limit", "t", T0, 1)] * 9)
    hold = ParameterHold("terminal_limit", "t", "freeze", "ada", "a fair")
    stretch: dict[str, Any] = {"since": T0, "after": T0, "until": T0 + 9 * DAY, "start": Start(50_000), "id_": "t"}
    assert list(moves(LIMIT, kind, state, None, hold=hold, **stretch)) == []
    assert list(moves(LIMIT, kind, state, None, **stretch))


def test_the_fast_tier_uses_what_the_slow_one_published() -> None:
    seen = [Observation("terminal_limit", "t", T0 + day * DAY, 1) for day in range(6)]
    book = ParameterBook(SCENARIO)
    for record in all_moves(seen, [T0, T0 + 9 * DAY]):
        book.update(value_key(record.name, record.id), msgspec.json.encode(record))
        event = payment()
        event.event_time = record.tick
        assert book.values_for(event)[1] == record.value


def test_labels_events_and_scores_go_to_the_tuners_that_count_them() -> None:
    observer = Observer(SCENARIO)
    record = labelled()
    assert observer.of_labelled(record) == [Observation("terminal_limit", "t", record.label.known_at, 1)]
    assert observer.of_labelled(labelled(fraud=False)) == [Observation("terminal_limit", "t", record.label.known_at, 0)]
    assert observer.of_labelled(labelled(correction=True)) == []
    assert observer.of_event(payment()) == [Observation("surge_factor", "t", T0)]
    assert observer.of_event(payment(terminal_id="")) == []
    assert observer.of_decision(record.decision) == []
    scored = msgspec.structs.replace(
        record.decision,
        scores=msgspec.structs.replace(record.decision.scores, champion=0.3),
        versions=msgspec.structs.replace(record.decision.versions, model="7"),
    )
    assert observer.of_decision(scored) == [Observation("review_score", "", T0, 0.3, "7")]
