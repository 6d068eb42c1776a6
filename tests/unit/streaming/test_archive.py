"""Each record once in the lake, whatever is repeated, recut or broken off; nothing is lost that cannot be read."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from deltalake import DeltaTable

from fraudbrain_shared.decision_row import decision_row
from fraudbrain_shared.records import DeadLetter, Reason
from fraudbrain_streaming.jobs.archive.decisions import Decisions
from fraudbrain_streaming.jobs.archive.decoder import decode
from fraudbrain_streaming.jobs.archive.first_wins import DECISION_COLUMN, EVENT_COLUMN
from fraudbrain_streaming.jobs.archive.labels import Labels
from fraudbrain_streaming.jobs.archive.lake_table import AnotherTopic, LakeTable
from tests.unit.streaming.archiving import (
    APPENDED,
    DAY_MS,
    Raw,
    World,
    batch,
    decision,
    event,
    label,
    record,
)


def held(world: World, topic: str) -> list[dict[str, Any]]:
    rows = DeltaTable(world.lake / topic).to_pyarrow_table().to_pylist()
    return sorted(rows, key=lambda row: (row["partition"], row["offset"]))


def places(world: World, topic: str) -> Counter[tuple[int, int]]:
    return Counter((row["partition"], row["offset"]) for row in held(world, topic))


def traffic(count: int) -> list[Raw]:
    """Events, their decisions and labels over two partitions; some events are decided again later."""
    return [
        each
        for number in range(count)
        for partition in (0, 1)
        for each in (
            record("events", number, event(f"e{number}"), partition=partition),
            record("decisions", 2 * number, decision(f"e{number}-{partition}"), partition=partition),
            record(
                "decisions",
                2 * number + 1,
                decision(f"e{number // 3}-{partition}", outcome="review"),
                partition=partition,
            ),
            record("labels", 2 * number + partition, label(f"e{number}")),
        )
    ]


def decided(number: int, partition: int, outcome: str) -> bytes:
    return decision(f"e{number}-{partition}", outcome=outcome)


def all_places(records: Iterable[Raw], topic: str) -> Counter[tuple[int, int]]:
    return Counter((each["partition"], each["offset"]) for each in records if each["topic"] == topic)


class Crash(BaseException):
    """Nobody answers to it."""


@pytest.mark.parametrize("effects_done", range(8))
def test_a_crash_between_any_two_effects_neither_loses_nor_doubles(
    world: World, monkeypatch: pytest.MonkeyPatch, effects_done: int
) -> None:
    records = traffic(9)
    world.archive().file(0, batch(records[:16]))
    left = effects_done

    def crashing(effect: Any) -> Any:
        def run(*arguments: Any) -> None:
            nonlocal left
            if left == 0:
                raise Crash
            left -= 1
            effect(*arguments)

        return run

    with monkeypatch.context() as broken:
        broken.setattr(LakeTable, "append", crashing(LakeTable.append))
        broken.setattr(world.cells, "put", crashing(world.cells.put))
        with pytest.raises(Crash) if effects_done < 7 else pytest.MonkeyPatch.context():  # seven effects, then none
            world.archive().file(1, batch(records[16:50]))

    again = world.archive()
    again.file(1, batch(records[16:40]))  # not cut as before
    again.file(2, batch(records[40:]))
    for topic in ("events", "decisions", "labels"):
        assert places(world, topic) == all_places(records, topic)
    assert world.cells.values(DECISION_COLUMN) == first_decisions(records)


def first_decisions(records: list[Raw]) -> dict[bytes, bytes]:
    decided = [each for each in records if each["topic"] == "decisions"]
    ordered = sorted(decided, key=lambda each: (each["partition"], each["offset"]), reverse=True)
    rows = {}
    for each in ordered:
        row = Decisions()._decode(each["value"])
        rows[decision_row(row.subject, row.event_id)] = each["value"]
    return rows


def test_a_log_read_from_its_beginning_again_adds_nothing(world: World) -> None:
    records = traffic(4)
    world.archive().file(0, batch(records))
    version = DeltaTable(world.lake / "events").version()
    world.archive().file(0, batch(records))
    assert places(world, "events") == all_places(records, "events")
    assert DeltaTable(world.lake / "events").version() == version


def test_what_cannot_be_read_is_kept_as_bytes_and_stops_nothing(world: World) -> None:
    garbage = [None, b"", b"\xff\xfe", b"[", b"{}", b"[" * 100_000, decision("e", event_time=2**70), b'{"event_id": 1}']
    for topic in ("decisions", "labels", "dead-letters"):
        sent = [record(topic, offset, value) for offset, value in enumerate([*garbage, label("e")])]
        world.archive().file(0, batch(sent))
        rows = held(world, topic)
        assert [row["value"] for row in rows] == [each["value"] for each in sent]
        assert {row["date"].isoformat() for row in rows} == {"2024-10-04"}
    assert held(world, "labels")[-1]["event_id"] == "e"
    assert {row["event_id"] for row in held(world, "decisions")} == {None}


def test_events_that_are_not_admitted_are_kept_with_their_reason(world: World) -> None:
    far = event("far", event_time=APPENDED + 30_000 * DAY_MS)
    sent = [event("good"), b"{", far, event("range", fields={"card_id": "card", "amount": -1})]
    world.archive().file(0, batch([record("events", offset, value) for offset, value in enumerate(sent)]))
    rows = held(world, "events")
    assert [row["reason"] for row in rows] == [None, "framing", "too_new", "range"]
    assert [row["admitted"] for row in rows] == [True, False, False, False]
    assert [str(row["date"]) for row in rows] == ["2024-10-03", "2024-10-04", "2024-10-04", "2024-10-04"]
    assert rows[0]["fields"] == '{"card_id":"card","amount":100}'
    assert list(world.cells.values(EVENT_COLUMN)) == [decision_row("card", "good")]


def test_a_record_from_2099_makes_no_folder_for_2099(world: World) -> None:
    later = APPENDED + 27_000 * DAY_MS
    world.archive().file(
        0, batch([record("decisions", 0, decision("e", event_time=later)), record("labels", 0, label("e", later))])
    )
    for topic in ("decisions", "labels"):
        assert str(held(world, topic)[0]["date"]) == "2024-10-04"


def test_a_key_that_is_no_text_is_kept_readable(world: World) -> None:
    world.archive().file(0, batch([record("labels", 0, b"", key=b"a\xff"), record("labels", 1, b"", key=None)]))
    assert [row["key"] for row in held(world, "labels")] == ["a\\xff", None]


def test_a_dead_letter_is_kept_whole_with_its_reason(world: World) -> None:
    letter = DeadLetter(Reason.RANGE, "amount", "fraudbrain.till.events", 3, 7, APPENDED, "w1", "b")
    headers = [*letter.headers(), ("trace", b"\x00\xff")]
    pairs = [{"key": name, "value": value} for name, value in headers]
    world.archive().file(0, batch([record("dead-letters", 0, b"{") | {"headers": pairs}]))
    (row,) = held(world, "dead-letters")
    assert (row["reason"], row["source_topic"], row["source_partition"], row["source_offset"]) == (
        "range",
        "fraudbrain.till.events",
        3,
        7,
    )
    assert row["headers"] == pairs


def test_a_table_is_not_continued_from_a_topic_made_anew(world: World) -> None:
    world.table("labels", Labels(), "one")
    with pytest.raises(AnotherTopic, match="deleted and made again"):
        world.table("labels", Labels(), "other")


def test_a_table_knows_the_next_offset_of_each_partition(world: World) -> None:
    world.archive().file(0, batch(traffic(3)))
    table = world.table("events", Labels())
    assert [table.next_offset(partition) for partition in (0, 1, 2)] == [3, 3, None]


def test_a_second_writer_cannot_commit_what_the_first_has(world: World) -> None:
    first, second = world.table("labels", Labels()), world.table("labels", Labels())
    rows, _ = decode(batch([record("labels", 0, label("e"))]), Labels())
    first.append(rows)
    with pytest.raises(Exception, match="transaction"):
        second.append(rows)
