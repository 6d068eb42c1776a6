"""What the offline tier reads of the lake that the slow tier writes."""

import pytest

from fraudbrain_offline.lake import LakeUnreadable, effective_decisions, summarize
from tests.unit.streaming.archiving import World, batch, decision, event, record


def test_the_effective_decision_is_the_first_by_generation_then_offset(world: World) -> None:
    sent = [
        decision("a", outcome="review", generation=2),
        decision("b", outcome="approve"),
        decision("a", outcome="decline"),
        b"no decision",
        decision("b", outcome="review"),
        decision("a", outcome="approve"),
        decision("a", subject="other", outcome="approve"),
    ]
    world.archive().file(0, batch([record("decisions", offset, value) for offset, value in enumerate(sent)]))
    effective = effective_decisions(world.lake).project("subject, event_id, outcome").order("1, 2").fetchall()
    assert effective == [("card", "a", "decline"), ("card", "b", "approve"), ("other", "a", "approve")]


def test_a_summary_tells_rows_days_and_distinct_events(world: World) -> None:
    world.archive().file(0, batch([record("events", offset, value) for offset, value in enumerate([event("a"), b"{"])]))
    summary = summarize(world.lake)
    events = summary["events"]
    assert (events.rows, str(events.first_date), str(events.last_date), events.distinct_events) == (
        2,
        "2024-10-03",
        "2024-10-03",
        1,
    )
    assert (summary["labels"].rows, summary["labels"].first_date) == (0, None)


def test_a_folder_without_lake_is_said_to_be_none(world: World) -> None:
    with pytest.raises(LakeUnreadable, match="no table of a lake"):
        summarize(world.lake / "elsewhere")
