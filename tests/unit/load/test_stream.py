"""The stream's events are the templates', but for what makes each of them another."""

from collections import Counter

import msgspec
from hypothesis import given, strategies as st

from fraudbrain_deploy.load.run import event_id
from fraudbrain_deploy.load.stream import Distribution, Plan, Stream, stream_event

TEXTS = st.text(max_size=8)
FIELDS = st.dictionaries(
    TEXTS, st.one_of(TEXTS, st.integers(-(2**53), 2**53), st.booleans(), st.lists(TEXTS)), max_size=4
)


@given(FIELDS, st.integers(1, 5))
def test_each_event_is_its_template_with_id_time_and_subject_of_its_own(
    fields: dict[str, object], subjects: int
) -> None:
    template = {"event_id": "x", "type": "payment", "event_time": 1, "fields": fields | {"card": "y"}}
    plan = Plan([template], "card", subjects, begin_ms=1_000, step_ms=2.5)
    events = Stream(plan, (event_id(7, number) for number in range(20))).take(20)
    for number, event in enumerate(events):
        made = msgspec.json.decode(event.value)
        subject, time = event.key.decode(), 1_000 + int((number + 1) * 2.5)
        assert (made["event_id"], made["event_time"], event.time) == (event_id(7, number), time, time)
        assert made["fields"] == fields | {"card": subject}
        assert event == stream_event(template, "card", subject, event_id(7, number), time)


def test_the_same_plan_makes_the_same_stream_however_it_is_taken() -> None:
    template = {"event_id": "x", "type": "payment", "event_time": 1, "fields": {"card": "y"}}
    plan = Plan([template], "card", 100, begin_ms=0, step_ms=1)
    one, other = Stream(plan), Stream(plan)
    assert one.take(50) == [event for _ in range(50) for event in other.take(1)]


def subjects(distribution: Distribution, events: int) -> Counter[bytes]:
    template = {"event_id": "x", "type": "payment", "event_time": 1, "fields": {"card": "y"}}
    plan = Plan([template], "card", 50, begin_ms=0, step_ms=1, distribution=distribution)
    return Counter(event.key for event in Stream(plan).take(events))


def test_subjects_come_by_the_distribution_of_the_plan() -> None:
    zipf, uniform = (subjects(each, 5_000) for each in ("zipf", "uniform"))
    assert 0.18 < max(zipf.values()) / 5_000 < 0.27  # 1 / (1 + 1/2 + … + 1/50) is 0.222
    assert len(uniform) == 50
    assert max(uniform.values()) < 2 * min(uniform.values())


def test_each_subject_comes_once_before_any_comes_again() -> None:
    assert set(subjects("each", 50).values()) == {1}
    assert sorted(set(subjects("each", 75).values())) == [1, 2]
