"""The context's fold and view against a naive judge that keeps every record."""

from random import Random
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from fraudbrain_shared.features import ContextFold, ContextInput, ContextView, EntityStates, OversizeState
from fraudbrain_shared.records import Label, Labelled
from fraudbrain_shared.scenario.context_table import worst_state_bytes
from fraudbrain_shared.topics import clock_key, context_key
from tests.unit.scenario.closing import CLOSING
from tests.unit.scenario.small import parse

SCENARIO = parse(CLOSING)
FOLD = ContextFold(SCENARIO)
FRAUD, BUSY = SCENARIO.context.values()
DAY = 86_400_000
T0 = 20_000 * DAY
SAMPLE = {
    "event": {"event_id": "e", "type": "payment", "event_time": T0, "fields": {}},
    "label": {"event_id": "e", "subject": "c", "fraud": True, "known_at": T0 + 7 * DAY, "source": "s"},
}

inputs = st.lists(
    st.tuples(st.integers(0, 90 * DAY), st.integers(0, 1_000)).map(
        lambda each: ContextInput("terminal", "t", FRAUD.id, T0 + each[0], each[1])
    ),
    max_size=40,
)


def payment(**changes: Any) -> Any:
    fields = {"card_id": "c", "terminal_id": "t", "amount": 700, "country": None} | changes
    return SimpleNamespace(event_id="e", type="payment", event_time=T0, fields=SimpleNamespace(**fields))


def labelled(*, fraud: bool = True, correction: bool = False, **changes: Any) -> Labelled:
    fields = {"card_id": "c", "terminal_id": "t", "amount": 700} | changes
    label = msgspec.convert({**SAMPLE["label"], "fraud": fraud}, Label)
    event = {**SAMPLE["event"], "fields": fields}
    decision = {
        **{"event_id": "e", "type": "payment", "subject": "c", "event_time": T0, "outcome": "approve"},
        **{"group": "a", "generation": 1, "feature_set": "f", "features": []},
        "source": {"epoch": 1, "partition": 0, "offset": 0, "append_time": T0},
        "versions": {"scenario": "s", "rules": "r", "build": "b"},
    }
    return msgspec.convert({"label": label, "event": event, "decision": decision, "correction": correction}, Labelled)


def folded(values: list[ContextInput]) -> EntityStates:
    states: EntityStates = {}
    for value in values:
        FOLD.add(states, value)
    return states


def view_of(states: EntityStates, clock: int | None = None) -> ContextView:
    view = ContextView(SCENARIO)
    view.update(context_key("terminal", "t"), msgspec.json.encode(FOLD.record("terminal", "t", states)))
    if clock is not None:
        view.update(clock_key("context"), msgspec.json.encode({"job": "context", "event_time": clock}))
    return view


def test_a_label_counts_when_it_was_known_and_an_event_when_it_happened() -> None:
    assert FOLD.of_labelled(labelled()) == [ContextInput("terminal", "t", FRAUD.id, T0 + 7 * DAY, 700)]
    assert FOLD.of_event(payment()) == [ContextInput("terminal", "t", BUSY.id, T0, 1)]


def test_a_good_label_and_a_correction_add_nothing_here() -> None:
    assert FOLD.of_labelled(labelled(fraud=False)) == []
    assert FOLD.of_labelled(labelled(correction=True)) == []


def test_a_labelled_event_of_another_shape_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        FOLD.of_labelled(labelled(amount="much"))


@given(inputs, st.integers(0, 99), st.integers(0, 40))
def test_neither_order_nor_batches_matter(values: list[ContextInput], seed: int, cut: int) -> None:
    shuffled = list(values)
    Random(seed).shuffle(shuffled)
    whole = folded(values)
    stored = FOLD.states_of(FOLD.record("terminal", "t", folded(shuffled[:cut])))
    for value in shuffled[cut:]:
        FOLD.add(stored, value)
    assert stored == whole
    assert FOLD.joined("terminal", folded(shuffled[:cut]), folded(shuffled[cut:])) == whole


@given(inputs, st.integers(-5 * DAY, 95 * DAY))
def test_reads_equal_the_naive_ones_as_of_the_earlier_of_event_time_and_clock(
    values: list[ContextInput], clock: int
) -> None:
    event = payment()
    event.event_time = T0 + 90 * DAY
    as_of = min(event.event_time, T0 + clock)
    newest = max((each.time for each in values), default=0)
    first = max((as_of - FRAUD.window_ms) // DAY, (newest - FRAUD.window_ms) // DAY)
    inside = [each for each in values if first <= each.time // DAY <= as_of // DAY]
    last = max(((each.time, each.value) for each in inside), default=None)
    if newest // DAY > as_of // DAY:
        last = None  # what was last before the newest is not kept
    count, total, last_value, since, _ = view_of(folded(values), T0 + clock).read(event, event.event_time).values
    assert (count, total) == (len(inside), sum(each.value for each in inside))
    assert last_value == (last[1] if last else None)
    assert since == (max(0, as_of - last[0]) // 1_000 if last else None)


@given(inputs, st.lists(st.integers(0, 120 * DAY), min_size=2, max_size=12))
def test_a_view_that_was_read_before_reads_what_a_new_one_does(values: list[ContextInput], times: list[int]) -> None:
    known = view_of(folded(values))
    for time in times:
        event = payment()
        event.event_time = T0 + time
        assert known.read(event, 0) == view_of(folded(values)).read(event, 0)
    known.update(context_key("terminal", "t"), None)
    assert known.read(event, 0) == ContextView(SCENARIO).read(event, 0)


def test_a_quiet_entity_ages_by_the_clock_alone() -> None:
    states = folded(FOLD.of_labelled(labelled()))
    event = payment()
    event.event_time = T0 + 90 * DAY
    counts = [view_of(states, T0 + days * DAY).read(event, T0).values[0] for days in (7, 35, 36)]
    assert counts == [1, 1, 0]


def test_an_entity_never_seen_has_nothing_and_an_absent_one_is_unknown() -> None:
    view = ContextView(SCENARIO)
    assert view.read(payment(), T0).values == (0, 0, None, None, 0)
    assert view.read(payment(terminal_id=None), T0).values == (None,) * 5


def test_a_dead_slow_tier_does_not_look_like_silence() -> None:
    assert not ContextView(SCENARIO).read(payment(), T0).is_behind(0)  # there never was one
    reading = view_of({}, T0 - 60_000).read(payment(), T0)
    assert (reading.clock, reading.behind_ms) == (T0 - 60_000, 60_000)
    assert not reading.is_behind(60_000)
    assert reading.is_behind(59_999)


def test_the_clock_is_that_of_the_slowest_job() -> None:
    view = view_of({}, T0)
    view.update(clock_key("other"), b'{"job":"other","event_time":5}')
    assert view.clock == 5
    view.update(clock_key("other"), None)
    assert view.clock == T0


def test_an_entity_is_forgotten_with_its_record() -> None:
    view = view_of(folded(FOLD.of_event(payment())))
    assert view.read(payment(), T0).values[-1] == 1
    view.update(context_key("terminal", "t"), None)
    assert view.read(payment(), T0).values[-1] == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"terminal", b"{}"),
        (b"terminal|t", b'{"entity":"terminal","id":"t"}'),
        (b"terminal|t", b'{"entity":"terminal","id":"u","states":{}}'),
        (b"terminal|t", b'{"entity":"terminal","id":"t","states":{"x":[1]}}'),
        (b"\xff|t", b"{}"),
        (b"_clock|context", b'{"job":"context"}'),
    ],
)
def test_what_is_no_record_is_refused_and_changes_nothing(key: bytes, value: bytes) -> None:
    view = view_of(folded(FOLD.of_event(payment())), T0)
    before = view.read(payment(), T0)
    with pytest.raises(ValueError):
        view.update(key, value)
    assert view.read(payment(), T0) == before


def test_an_id_may_hold_what_separates_the_key() -> None:
    view = ContextView(SCENARIO)
    states = folded(FOLD.of_event(payment(terminal_id="a|b")))
    view.update(context_key("terminal", "a|b"), msgspec.json.encode(FOLD.record("terminal", "a|b", states)))
    assert view.read(payment(terminal_id="a|b"), T0).values[-1] == 1


def test_the_longest_state_is_as_long_as_the_loader_says() -> None:
    states: EntityStates = {}
    for day in range(29):
        for value in (1_000_000, 999_999):
            FOLD.add(states, ContextInput("terminal", "t", FRAUD.id, T0 + day * DAY, value))
    assert len(states[FRAUD.id].hops) == 29
    record = FOLD.record("terminal", "t", states)
    assert len(msgspec.json.encode(record.states)) <= worst_state_bytes(FRAUD)


def test_a_state_that_outgrew_its_record_is_not_published() -> None:
    states = folded([ContextInput("terminal", "t", FRAUD.id, T0 + day * DAY, 10**18) for day in range(29)])
    states |= {f"{place:016}": states[FRAUD.id] for place in range(3)}
    with pytest.raises(OversizeState):
        FOLD.record("terminal", "t", states)


def test_one_event_that_names_an_entity_twice_counts_once() -> None:
    two = CLOSING["events.toml"].replace(
        "terminal_id =", 'other = { type = "string", entity = "terminal" }\nterminal_id ='
    )
    imports = CLOSING["import.toml"].replace("terminal_id =", 'other = "OTHER"\nterminal_id =')
    fold = ContextFold(parse({**CLOSING, "events.toml": two, "import.toml": imports}))
    assert [each.id for each in fold.of_event(payment(other="t"))] == ["t"]
    assert [each.id for each in fold.of_event(payment(other="u"))] == ["u", "t"]
