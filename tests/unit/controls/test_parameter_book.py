import re
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from fraudbrain_shared.controls import ParameterBook, RefusedParameter, start_of
from fraudbrain_shared.records import ParameterHold, ParameterValue
from fraudbrain_shared.topics import hold_key, value_key
from tests.unit.scenario.closing import CLOSING
from tests.unit.scenario.small import parse

SCENARIO = parse(CLOSING)
NAMES = list(SCENARIO.parameters)
DAY = 86_400_000
DEFAULTS = (1_000, 50_000, 4.0, 0.5)


def event(time: int = DAY, terminal: str | None = "t", kind: str = "payment") -> Any:
    return SimpleNamespace(type=kind, event_time=time, fields=SimpleNamespace(terminal_id=terminal))


def value(
    name: str = "terminal_limit", number: float = 40_000, previous: float = 50_000, **changes: Any
) -> ParameterValue:
    id_ = "t" if SCENARIO.parameters[name].per else ""
    cause = {"terminal_limit": "rate", "surge_factor": "surge", "review_score": "budget"}[name]
    given: dict[str, Any] = {
        "id": id_,
        "tick": DAY,
        "expires_at": 2 * DAY,
        "cause": cause,
        "evidence": {"count": 99},
    } | changes
    return ParameterValue(name=name, value=number, previous=previous, **given)


def publish(book: ParameterBook, record: ParameterValue | ParameterHold) -> None:
    key = value_key if isinstance(record, ParameterValue) else hold_key
    book.update(key(record.name, record.id), msgspec.json.encode(record))


def held(action: str, number: float | None = None, name: str = "terminal_limit", id_: str = "t") -> ParameterHold:
    return ParameterHold(name, id_, action, "ada", "a fair", number)  # type: ignore[arg-type]


def read(book: ParameterBook, name: str, **about: Any) -> float:
    return book.values_for(event(**about))[NAMES.index(name)]


def test_without_any_record_all_have_their_defaults_in_one_tuple() -> None:
    book = ParameterBook(SCENARIO)
    assert book.values_for(event()) == DEFAULTS
    assert book.values_for(event()) is book.values_for(event(time=9 * DAY, terminal="u"))
    assert book.values_for(event(kind="login")) is book.values_for(event())


def test_a_value_is_of_its_own_entity_until_it_expires() -> None:
    book = ParameterBook(SCENARIO)
    publish(book, value())
    assert read(book, "terminal_limit") == 40_000
    assert read(book, "terminal_limit", time=2 * DAY - 1) == 40_000
    assert read(book, "terminal_limit", time=2 * DAY) == 50_000
    assert read(book, "terminal_limit", terminal="u") == 50_000
    assert read(book, "terminal_limit", terminal=None) == 50_000
    assert read(book, "terminal_limit", kind="login") == 50_000
    assert book.last("terminal_limit", "t") == value()


def test_a_hold_wins_over_any_value_until_it_is_taken_back() -> None:
    book = ParameterBook(SCENARIO)
    publish(book, value())
    publish(book, held("pin", 90_000))
    assert read(book, "terminal_limit", time=9 * DAY) == 90_000
    publish(book, held("revert"))
    assert read(book, "terminal_limit") == 50_000
    book.update(hold_key("terminal_limit", "t"), None)
    assert read(book, "terminal_limit") == 40_000
    book.update(value_key("terminal_limit", "t"), None)
    assert book.values_for(event()) is book.values_for(event(terminal="u"))


def test_what_is_frozen_stays_where_it_was_moved_also_when_that_expires() -> None:
    book = ParameterBook(SCENARIO)
    publish(book, value())
    publish(book, held("freeze"))
    assert read(book, "terminal_limit", time=9 * DAY) == 40_000


def test_a_threshold_on_the_score_counts_for_the_live_release_only() -> None:
    book = ParameterBook(SCENARIO)
    book.release("7", {"review_score": 0.4, "unknown": 1.0})
    assert read(book, "review_score") == 0.4
    publish(book, value("review_score", 0.45, 0.4, release="7"))
    publish(book, value("review_score", 0.45, 0.4, release="7"))
    assert read(book, "review_score") == 0.45
    book.release("8", {"review_score": 2.0})
    assert read(book, "review_score") == 0.95  # within its bounds
    book.release("9", {})
    assert read(book, "review_score") == 0.5
    book.release("7", {"review_score": 0.4})
    assert read(book, "review_score") == 0.45


def test_a_global_value_expires_by_the_time_of_each_event_in_whatever_order() -> None:
    book = ParameterBook(SCENARIO)
    book.release("7", {"review_score": 0.4})
    publish(book, value("review_score", 0.45, 0.4, release="7"))
    times = [DAY, 2 * DAY - 1, 2 * DAY, 3 * DAY, DAY, 2 * DAY]
    assert [read(book, "review_score", time=time) for time in times] == [0.45, 0.45, 0.4, 0.4, 0.45, 0.4]
    assert book.values_for(event(time=DAY)) is book.values_for(event(time=DAY + 1, terminal="u"))


def test_a_double_is_one_however_it_is_written() -> None:
    book = ParameterBook(SCENARIO)
    publish(book, held("pin", 3, "surge_factor"))
    assert isinstance(read(book, "surge_factor"), float)


REFUSED = [
    (b"value|terminal_limit", msgspec.json.encode(value()), "parts"),
    (b"\xff|a|b", None, "no key of a parameter"),
    (b"wish|terminal_limit|t", None, "wish is no kind of record"),
    (value_key("terminl_limit", "t"), msgspec.json.encode(value()), "no parameter terminl_limit"),
    (value_key("terminal_limit", ""), None, "the key has no id"),
    (value_key("review_score", "t"), None, "the key names an id"),
    (value_key("terminal_limit", "u"), msgspec.json.encode(value()), "another parameter or id"),
    (value_key("terminal_limit", "t"), b"{}", "no ParameterValue"),
    (value_key("terminal_limit", "t"), msgspec.json.encode(value(number=600)), "further than one step"),
    (value_key("terminal_limit", "t"), msgspec.json.encode(value(number=40_000.5)), "is no int"),
    (value_key("terminal_limit", "t"), msgspec.json.encode(value(evidence={"count": 1})), "evidence is too little"),
    (hold_key("terminal_limit", "t"), msgspec.json.encode(held("pin")), "a pin needs a value"),
    (hold_key("terminal_limit", "t"), msgspec.json.encode(held("pin", 10**6)), "outside of 500 to 100000"),
]


@pytest.mark.parametrize(("key", "record", "fault"), REFUSED)
def test_a_record_that_is_not_allowed_is_refused_and_changes_nothing(
    key: bytes, record: bytes | None, fault: str
) -> None:
    book = ParameterBook(SCENARIO)
    publish(book, value(number=45_000))
    with pytest.raises(RefusedParameter, match=fault):
        book.update(key, record)
    assert book.values_for(event()) == (1_000, 45_000, 4.0, 0.5)


@dataclass
class Naive:
    """What a book is to say, from all that it took."""

    values: dict[str, ParameterValue] = field(default_factory=dict)
    holds: dict[str, ParameterHold] = field(default_factory=dict)
    release: str | None = None
    starts: dict[str, float] = field(default_factory=dict)

    def effective(self, name: str, time: int) -> float:
        value, hold = self.values.get(name), self.holds.get(name)
        start = start_of(SCENARIO.parameters[name], self.release, self.starts).value
        if hold is not None and hold.value is not None:
            return hold.value
        is_of_release = value is not None and (SCENARIO.parameters[name].scale is None or value.release == self.release)
        if value is None or not is_of_release or (hold is not None and hold.action == "revert"):
            return start
        return value.value if hold is not None or time < value.expires_at else start


TUNED = ["terminal_limit", "surge_factor", "review_score"]
near_start = st.sampled_from([0.9, 0.95, 1.0, 1.05, 1.1, 0.1, 50.0])
updates = st.one_of(
    st.tuples(st.just("value"), st.sampled_from(TUNED), near_start, st.integers(0, 9)),
    st.tuples(st.just("no value"), st.sampled_from(TUNED)),
    st.tuples(
        st.just("hold"),
        st.sampled_from(TUNED),
        st.sampled_from(["pin", "freeze", "revert"]),
        st.none() | st.integers(1, 600),
    ),
    st.tuples(st.just("no hold"), st.sampled_from(TUNED)),
    st.tuples(st.just("release"), st.sampled_from([None, "7", "8"]), st.floats(0, 1)),
)


@given(st.lists(updates, max_size=20), st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_a_hold_wins_then_a_value_until_it_expires_then_the_start_and_nothing_is_out_of_bounds(
    taken: list[tuple[Any, ...]], days: list[int]
) -> None:
    book, naive = ParameterBook(SCENARIO), Naive()
    for kind, *about in taken:
        take(book, naive, kind, *about)
        for day in days:
            for name in TUNED:
                parameter, found = SCENARIO.parameters[name], read(book, name, time=day * DAY)
                assert found == naive.effective(name, day * DAY)
                assert parameter.low <= found <= parameter.high


def take(book: ParameterBook, naive: Naive, kind: str, *about: Any) -> None:
    """Gives both the same; what the book refuses the naive one does not get."""
    if kind == "release":
        naive.release, naive.starts = about[0], {"review_score": about[1]}
        book.release(naive.release, naive.starts)
        return
    name, id_ = about[0], "t" if SCENARIO.parameters[about[0]].per else ""
    with suppress(RefusedParameter):
        if kind == "value":
            start = start_of(SCENARIO.parameters[name], naive.release, naive.starts).value
            number = type(start)(start * about[1])
            release = naive.release if SCENARIO.parameters[name].scale else None
            tick = about[2] * DAY
            record = value(name, number, start, tick=tick, expires_at=tick + 7_200_000, release=release)
            publish(book, record)
            naive.values[name] = record
        elif kind == "hold":
            held_ = held(about[1], about[2], name, id_)
            publish(book, held_)
            naive.holds[name] = held_
        elif kind == "no value":
            book.update(value_key(name, id_), None)
            naive.values.pop(name, None)
        else:
            book.update(hold_key(name, id_), None)
            naive.holds.pop(name, None)


def test_a_number_that_no_float_can_hold_is_refused_like_any_other() -> None:
    book = ParameterBook(SCENARIO)
    for name in ("terminal_limit", "surge_factor"):
        huge = msgspec.json.encode(value(name, 3.5, 4.0) if name == "surge_factor" else value())
        huge = re.sub(rb'"value":[^,]+', b'"value":1' + b"0" * 400, huge)
        with pytest.raises(RefusedParameter, match="is outside of"):
            book.update(value_key(name, "t"), huge)
