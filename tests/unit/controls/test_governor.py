"""The governor's laws, each for any history of ticks, suggestions and holds."""

import itertools
from dataclasses import replace
from math import inf, nan

import msgspec
import pytest
from hypothesis import given, strategies as st

from fraudbrain_shared.controls import Start, Suggestion, check_move, govern
from fraudbrain_shared.records import ParameterHold, ParameterValue
from fraudbrain_shared.records.control import Number
from fraudbrain_shared.scenario.description import Parameter, RateTuner, Tuning

EVERY = 1_000
TUNING = Tuning(
    RateTuner(28_000, 5, 0.01, 20.0), every_ms=EVERY, min_interval_ms=3_000, expires_ms=20_000, max_step=0.25
)
WHOLE = Parameter("limit", "int", 1_000, 10, 5_000, per="terminal_id", tuning=TUNING)
SMALL_WHOLE = replace(WHOLE, default=3, low=1, high=9)
DOUBLE = Parameter("share", "double", 0.5, -1.0, 1.0, tuning=replace(TUNING, max_step=None, max_step_abs=0.1))
SCORE = Parameter("score", "double", 0.5, 0.1, 0.9, scale="score", tuning=TUNING)
PARAMETERS = [WHOLE, SMALL_WHOLE, DOUBLE, SCORE]
START = {"score": Start(0.4, "7")}

suggestions = st.none() | st.builds(
    lambda value, count: Suggestion(value, {"count": count}), st.floats(-1e6, 1e6), st.integers(0, 20)
)
histories = st.lists(st.tuples(st.integers(0, 8), suggestions), max_size=40)


def start_of(parameter: Parameter) -> Start:
    return START.get(parameter.name, Start(parameter.default))


def run(parameter: Parameter, history: list[tuple[int, Suggestion | None]]) -> list[ParameterValue]:
    """The records of a history of (ticks since the one before, suggestion)."""
    records: list[ParameterValue] = []
    tick = 0
    for ticks, suggestion in history:
        tick += ticks * EVERY
        last = records[-1] if records else None
        record = govern(parameter, last, suggestion, tick, id_="t", start=start_of(parameter))
        records += [record] if record else []
    return records


def wanted(value: Number, count: int = 5) -> Suggestion:
    return Suggestion(value, {"count": count, "frauds": 2})


def hold(action: str, value: Number | None = None) -> ParameterHold:
    return ParameterHold("limit", "t", action, "ada", "a fair", value)  # type: ignore[arg-type]


@given(st.sampled_from(PARAMETERS), histories)
def test_never_out_of_bounds(parameter: Parameter, history: list[tuple[int, Suggestion | None]]) -> None:
    for record in run(parameter, history):
        assert parameter.low <= record.value <= parameter.high
        assert isinstance(record.value, int) or parameter.type == "double"


@given(st.sampled_from(PARAMETERS), histories)
def test_never_further_than_a_step_except_back(
    parameter: Parameter, history: list[tuple[int, Suggestion | None]]
) -> None:
    for record in run(parameter, history):
        if record.cause == "expired":
            assert record.value == start_of(parameter).value
            continue
        assert abs(record.value - record.previous) <= step_from(parameter, record.previous) * (1 + 1e-12)


@given(st.sampled_from(PARAMETERS), histories)
def test_never_sooner_than_the_interval(parameter: Parameter, history: list[tuple[int, Suggestion | None]]) -> None:
    records = run(parameter, history)
    for earlier, later in itertools.pairwise(records):
        assert later.tick - earlier.tick >= (1 if later.cause == "expired" else TUNING.min_interval_ms)
        assert later.previous == earlier.value


@given(st.sampled_from(PARAMETERS), histories)
def test_the_fast_tier_accepts_every_record(parameter: Parameter, history: list[tuple[int, Suggestion | None]]) -> None:
    for record in run(parameter, history):
        assert check_move(parameter, record, start_of(parameter)) is None


@given(st.sampled_from(PARAMETERS), histories)
def test_an_expired_value_is_back_where_it_started(
    parameter: Parameter, history: list[tuple[int, Suggestion | None]]
) -> None:
    records = run(parameter, history)
    last = records[-1] if records else None
    if last is None:
        return
    record = govern(parameter, last, None, last.expires_at, id_="t", start=start_of(parameter))
    assert (record.value if record else last.value) == start_of(parameter).value
    assert govern(parameter, last, None, last.expires_at - 1, id_="t", start=start_of(parameter)) is None


@given(st.sampled_from(PARAMETERS), histories, suggestions, st.integers(0, 60))
def test_same_input_same_answer_and_a_repeated_tick_is_none(
    parameter: Parameter, history: list[tuple[int, Suggestion | None]], suggestion: Suggestion | None, tick: int
) -> None:
    records = run(parameter, history)
    last = records[-1] if records else None
    start = start_of(parameter)
    first = govern(parameter, last, suggestion, tick * EVERY, id_="t", start=start)
    assert first == govern(parameter, last, suggestion, tick * EVERY, id_="t", start=start)
    if first is not None:
        assert govern(parameter, first, suggestion, tick * EVERY, id_="t", start=start) is None


@given(st.sampled_from(PARAMETERS), histories, st.sampled_from(["pin", "freeze", "revert"]), suggestions)
def test_a_hold_stands_above_all(
    parameter: Parameter, history: list[tuple[int, Suggestion | None]], action: str, suggestion: Suggestion | None
) -> None:
    records = run(parameter, history)
    last = records[-1] if records else None
    assert govern(parameter, last, suggestion, 10**9, hold(action), id_="t", start=start_of(parameter)) is None


@given(st.sampled_from(PARAMETERS), histories, st.floats(-1e6, 1e6), st.integers(0, 4), st.integers(1, 19))
def test_too_little_evidence_moves_nothing(
    parameter: Parameter, history: list[tuple[int, Suggestion | None]], value: float, count: int, ticks: int
) -> None:
    """Whatever stands: it stays until it expires, 20 ticks after it was set."""
    records = run(parameter, history)
    last = records[-1] if records else None
    tick = (last.tick if last else 0) + ticks * EVERY
    assert govern(parameter, last, wanted(value, count), tick, id_="t", start=start_of(parameter)) is None


@given(st.sampled_from(PARAMETERS), histories, suggestions, st.integers(0, 10**6))
def test_no_tick_up_to_the_last_changes_anything(
    parameter: Parameter, history: list[tuple[int, Suggestion | None]], suggestion: Suggestion | None, before: int
) -> None:
    for last in run(parameter, history):
        assert govern(parameter, last, suggestion, last.tick - before, id_="t", start=start_of(parameter)) is None


@given(st.sampled_from(PARAMETERS), histories)
def test_in_any_stretch_a_number_moves_only_as_far_as_its_steps_add_up(
    parameter: Parameter, history: list[tuple[int, Suggestion | None]]
) -> None:
    """Whoever feeds the aggregates: from where it starts, at most one step for each interval that has passed."""
    tuning, start = parameter.tuning, start_of(parameter).value
    assert tuning is not None
    low = high = start
    since = -tuning.min_interval_ms
    for record in run(parameter, history):
        for _ in range((record.tick - since) // tuning.min_interval_ms):
            low, high = low - step_from(parameter, low), high + step_from(parameter, high)
        since = record.tick
        assert low - 1e-9 <= record.value <= high + 1e-9


def step_from(parameter: Parameter, value: Number) -> Number:
    tuning = parameter.tuning
    assert tuning is not None
    step = abs(value) * tuning.max_step if tuning.max_step else tuning.max_step_abs or 0.0
    return max(1, int(step)) if parameter.type == "int" else step


no_numbers = st.sampled_from([nan, inf, -inf, 10**400, -(10**400), 10**25])
numbers = no_numbers | st.integers(-10, 6_000) | st.floats(-2, 6_000)
records = st.builds(
    ParameterValue,
    name=st.just("any"),
    id=st.just("t"),
    value=numbers,
    previous=numbers,
    tick=st.integers(0, 30_000),
    expires_at=st.integers(0, 60_000),
    cause=st.sampled_from(["rate", "rate", "expired", "surge", ""]),
    evidence=st.dictionaries(st.sampled_from(["count", "frauds"]), st.integers(0, 9) | st.just(10**400), max_size=2),
    release=st.sampled_from([None, "7", "6"]),
)


@given(st.sampled_from(PARAMETERS), records)
def test_whatever_record_the_fast_tier_accepts_keeps_the_laws(parameter: Parameter, record: ParameterValue) -> None:
    start, tuning = start_of(parameter), parameter.tuning
    assert tuning is not None
    if check_move(parameter, record, start) is not None:
        return
    assert parameter.low <= record.value <= parameter.high
    assert parameter.type == "double" or isinstance(record.value, int)
    assert record.tick < record.expires_at <= record.tick + tuning.expires_ms
    if record.cause == "expired":
        assert record.value == start.value or record.release != start.release
    else:
        assert record.evidence["count"] >= tuning.tuner.min_count
        assert abs(record.value - record.previous) <= step_from(parameter, record.previous) * (1 + 1e-12)


@given(st.sampled_from(PARAMETERS), histories, records)
def test_a_record_is_accepted_only_with_the_value_or_one_nearer_to_the_previous(
    parameter: Parameter, history: list[tuple[int, Suggestion | None]], other: ParameterValue
) -> None:
    """A forged number passes only where the governor might have written it, and then it moves no further."""
    for record in run(parameter, history):
        forged = msgspec.structs.replace(record, value=other.value)
        if check_move(parameter, forged, start_of(parameter)) is None and record.cause != "expired":
            assert abs(forged.value - record.previous) <= step_from(parameter, record.previous) * (1 + 1e-12)


def test_a_move_is_a_record_with_its_evidence() -> None:
    assert govern(WHOLE, None, wanted(100), 4_000, id_="t") == ParameterValue(
        "limit", "t", 750, 1_000, 4_000, 24_000, "rate", {"count": 5, "frauds": 2}
    )


def test_a_whole_number_moves_by_one_at_least() -> None:
    record = govern(SMALL_WHOLE, None, wanted(9), EVERY, id_="t")
    assert record is not None
    assert (record.previous, record.value) == (3, 4)


def test_a_value_is_renewed_once_half_of_its_time_is_over() -> None:
    moved = govern(WHOLE, None, wanted(900), 0, id_="t")
    assert govern(WHOLE, moved, wanted(900), 9_000, id_="t") is None
    renewed = govern(WHOLE, moved, wanted(900), 10_000, id_="t")
    assert renewed is not None
    assert (renewed.value, renewed.previous, renewed.expires_at) == (900, 900, 30_000)


def test_where_it_started_needs_no_record() -> None:
    assert govern(WHOLE, None, wanted(1_000), 0, id_="t") is None


def test_a_threshold_for_another_release_counts_as_none() -> None:
    old = ParameterValue("score", "", 0.2, 0.25, 5_000, 25_000, "rate", {"count": 9}, "6")
    record = govern(SCORE, old, wanted(0.45), 6_000, start=Start(0.4, "7"))
    assert record is not None
    assert (record.previous, record.value, record.release) == (0.4, 0.45, "7")
    assert govern(SCORE, None, wanted(0.45), 6_000, start=Start(0.4, None)) is None


def test_a_record_that_bypassed_the_governor_counts_as_none() -> None:
    forged = ParameterValue("limit", "t", 4_000, 1_000, 10**15, 10**15 + 1, "rate", {"count": 9})
    record = govern(WHOLE, forged, wanted(900), 6_000, id_="t")
    assert record is not None
    assert record.previous == 1_000


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_a_suggestion_that_is_no_number_moves_nothing(value: float) -> None:
    assert govern(DOUBLE, None, wanted(value), 0) is None


GOOD = ParameterValue("limit", "t", 750, 1_000, 4_000, 24_000, "rate", {"count": 5})


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"value": 749}, "further than one step"),
        ({"value": 9, "previous": 10}, "outside of 10 to 5000"),
        ({"previous": 6_000, "value": 4_999}, "outside of"),
        ({"value": 750.0}, "is no int"),
        ({"value": nan}, "is no int"),
        ({"expires_at": 24_001}, "expires later than it may"),
        ({"expires_at": 4_000}, "expires later than it may"),
        ({"evidence": {"count": 4}}, "evidence is too little"),
        ({"evidence": {}}, "evidence is too little"),
        ({"cause": "surge"}, "is not the tuner"),
        ({"cause": "expired"}, "expired, but to 750 and not to 1000"),
        ({"release": "7"}, "and no others"),
    ],
)
def test_what_the_governor_cannot_have_written_is_refused(changes: dict[str, object], fault: str) -> None:
    assert check_move(WHOLE, GOOD) is None
    record = ParameterValue(**{name: getattr(GOOD, name) for name in GOOD.__struct_fields__} | changes)
    assert fault in (check_move(WHOLE, record) or "")


def test_what_nobody_moves_is_not_moved() -> None:
    still = replace(WHOLE, tuning=None)
    assert govern(still, None, wanted(100), 0) is None
    assert check_move(still, GOOD) == "limit is moved by nobody"
