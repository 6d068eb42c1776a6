"""The loop's results are those of its input, whatever the cuts, repetitions and crashes."""

from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import msgspec
import pytest

from fraudbrain_shared.records import Labelled, ParameterValue
from fraudbrain_shared.tuners.budget import BudgetState, bin_of
from fraudbrain_streaming.jobs.loop.inputs import cut
from fraudbrain_streaming.jobs.loop.loop import Broken
from fraudbrain_streaming.jobs.loop.state_table import COLUMN, MARK_COLUMN
from tests.unit.streaming.looping import (
    DAY,
    HOUR,
    T0,
    Clockwork,
    Crash,
    Disk,
    Log,
    Published,
    Raw,
    decision,
    event,
    label,
    loop_over,
    pieces,
    table,
)

STEPS = 10


@dataclass
class Days:
    """Days of payments, with frauds at one terminal; each a step of a replay."""

    seed: int = 1
    steps: list[list[Raw]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng, numbers, log = Random(self.seed), count(), Log(step="run|0")
        for day in range(STEPS):
            begin = len(log.records)
            for _ in range(12):
                time = T0 + day * DAY + rng.randrange(DAY)
                log.payment(next(numbers), time, terminal=rng.choice("ab"), fraud=rng.random() < 0.7, known_at=time)
            self.steps.append(log.records[begin:])


DAYS = Days()


def replay(cuts: Any, *, crash_at: int | None = None, redeliver: bool = False) -> Disk:
    """The steps in order, each cut by `cuts(records, step)`; the crash is followed by a new process."""
    disk, log = Disk(), Log(step="run|0")
    loop = loop_over(disk, log)
    log.goal(disk, 0, T0)
    loop.idle()
    if crash_at is not None:
        disk.calls_left = crash_at
    for step, records in enumerate(DAYS.steps):
        log.records += records
        log.archive(disk)
        for piece in cuts(records, step):
            for delivery in [piece, piece] if redeliver else [piece]:
                try:
                    loop.batch([table(delivery)])
                except Crash:
                    disk.calls_left = 10**9
                    loop = loop_over(disk, log)
                    loop.start()
                    loop.batch([table(records)])
        log.archived(disk)
        log.goal(disk, step + 1, T0 + (step + 1) * DAY)
        try:
            loop.idle()
        except Crash:
            disk.calls_left = 10**9
            loop = loop_over(disk, log)
            loop.start()
            loop.idle()
        assert disk.told[-1].step == f"run|{step + 1}"
    return disk


def whole(records: list[Raw], _: int) -> list[list[Raw]]:
    return [records]


def published(disk: Disk) -> Published:
    return [each for each in disk.published if each[0] in ("context", "parameters")]


ONE_CUT = replay(whole)


def test_the_days_move_a_parameter_and_say_what_is_known() -> None:
    moved = [msgspec.json.decode(value, type=ParameterValue) for _, value in ONE_CUT.records("parameters")]
    assert {each.cause for each in moved} == {"rate"}
    assert {each.id for each in moved} == {"a", "b"}
    assert {b"terminal|a", b"terminal|b", b"_clock|context"} == set(ONE_CUT.newest("context"))
    assert len(ONE_CUT.records("labelled")) == 12 * STEPS


@pytest.mark.parametrize(("number", "seed"), [(7, 1), (7, 2), (12, 3), (36, 4)])
def test_records_do_not_depend_on_how_batches_are_cut(number: int, seed: int) -> None:
    disk = replay(lambda records, step: pieces(records, number, seed + step))
    assert published(disk) == published(ONE_CUT)


def test_records_do_not_depend_on_pieces_of_one_record() -> None:
    disk = replay(lambda records, _: [[each] for each in records])
    assert published(disk) == published(ONE_CUT)


def test_a_batch_delivered_again_changes_nothing() -> None:
    disk = replay(lambda records, step: pieces(records, 3, step), redeliver=True)
    assert published(disk) == published(ONE_CUT)
    assert len(disk.records("labelled")) == 12 * STEPS


def test_a_crash_at_any_call_doubles_and_loses_nothing() -> None:
    """In between rows of one commit, between fold and mark, between publication and commit."""
    for crash_at in range(0, ONE_CUT.calls, 13):
        disk = replay(lambda records, step: pieces(records, 2, step), crash_at=crash_at)
        for topic in ("context", "parameters"):
            assert disk.newest(topic) == ONE_CUT.newest(topic), crash_at
            assert set(disk.records(topic)) == set(ONE_CUT.records(topic)), crash_at
        marks = [cells[MARK_COLUMN] for cells in disk.scan("decisions").values() if MARK_COLUMN in cells]
        assert len(marks) == len(set(marks)) == 12 * STEPS, crash_at


def test_what_was_broken_off_is_not_committed_between_two_batches() -> None:
    disk, log = Disk(), Log()
    log.payment(0, T0, fraud=True)
    log.archive(disk)
    loop = loop_over(disk, log)
    disk.calls_left = 0
    with pytest.raises(Crash):
        loop.batch([table(log.records)])
    disk.calls_left = 10**9
    with pytest.raises(Broken):
        loop.idle()
    assert disk.scan("loop") == {}


def test_the_pieces_of_a_batch_keep_each_topic_in_order_and_lose_nothing() -> None:
    records = DAYS.steps[0]
    for number in (1, 7, 100):
        found = [row for piece in cut(table(records), number) for row in piece.to_pylist()]
        for topic in ("events", "decisions", "labels"):
            offsets = [row["offset"] for row in found if row["topic"] == topic]
            assert offsets == list(range(12))
    assert len(cut(table([]), 7)) == 1


def test_a_label_before_its_decision_waits_also_through_a_restart() -> None:
    disk, log, clock = Disk(), Log(), Clockwork()
    log.add("labels", label("e0", T0 + DAY))
    loop_over(disk, log, clock).batch([table(log.records)])
    loop = loop_over(disk, log, clock)
    log.payment(0, T0)
    loop.batch([table(log.records)])
    assert disk.records("labelled") == []
    log.archive(disk)
    clock.now_s += 1
    loop.idle()
    assert [key for key, _ in disk.records("labelled")] == [b"e0"]
    assert loop_over(disk, log, clock).id == "id"
    assert disk.told[-1].counts["waiting_labels"] == 0
    assert not [row for row in disk.scan("loop") if row.startswith(b"pending|")]


def test_only_the_first_label_of_an_event_counts() -> None:
    disk, log = Disk(), Log()
    log.payment(0, T0, fraud=True)
    log.add("labels", label("e0", T0 + 2 * DAY, fraud=False))
    log.archive(disk)
    loop = loop_over(disk, log)
    loop.batch([table(log.records[:3])])
    loop_over(disk, log).batch([table(log.records)])
    found = [msgspec.json.decode(value, type=Labelled) for _, value in disk.records("labelled")]
    assert [(each.label.fraud, each.correction) for each in found] == [(True, False), (False, True)]


def test_a_label_that_waits_holds_its_goal_until_the_archive_has_all() -> None:
    disk, log = Disk(), Log(step="run|0")
    log.add("labels", label("nobody", T0))
    log.payment(0, T0, fraud=True, known_at=T0)
    loop = loop_over(disk, log)
    loop.batch([table(log.records)])
    log.goal(disk, 1, T0 + DAY)
    loop.idle()
    assert disk.told[-1].step == ""
    log.archive(disk)
    log.archived(disk)
    loop.idle()
    assert disk.told[-1].step == "run|1"
    assert disk.told[-1].counts["waiting_labels"] == 1
    assert b"terminal|t" in disk.newest("context")


def test_a_step_without_any_record_is_reached_too() -> None:
    disk, log = Disk(), Log(step="run|0")
    loop = loop_over(disk, log)
    log.goal(disk, 0, T0)
    loop.idle()
    assert disk.told[-1].step == "run|0"
    assert disk.newest("context") == {b"_clock|context": b'{"job":"context","event_time":%d}' % T0}


def clock_of(disk: Disk) -> int:
    clock: int = msgspec.json.decode(disk.newest("context")[b"_clock|context"])["event_time"]
    return clock


def test_the_clock_stands_still_while_a_topic_is_not_read_to_its_end() -> None:
    disk, log, clock = Disk(), Log(), Clockwork()
    for number in range(4):
        log.payment(number, T0 + number * HOUR)
    loop = loop_over(disk, log, clock)
    loop.batch([table(log.records[:4])])
    assert b"_clock|context" not in disk.newest("context")
    loop.batch([table(log.records[4:])])
    assert clock_of(disk) == T0 + 3 * HOUR


def test_live_an_entity_is_published_at_once_and_then_every_ten_seconds() -> None:
    disk, log, clock = Disk(), Log(), Clockwork()
    loop = loop_over(disk, log, clock)
    seen = []
    for second in range(25):
        clock.now_s += 1
        log.payment(second, T0 + second * 1000)
        loop.batch([table(log.records[-2:])])
        seen.append(sum(key == b"terminal|t" for key, _ in disk.records("context")))
    assert [second for second, (one, other) in enumerate(zip([0, *seen], seen, strict=False)) if one != other] == [
        0,
        10,
        20,
    ]


def test_the_clock_is_told_every_ten_seconds_though_nothing_happens() -> None:
    disk, log, clock = Disk(), Log(), Clockwork()
    log.payment(0, T0)
    loop = loop_over(disk, log, clock)
    loop.batch([table(log.records)])
    for _ in range(30):
        clock.now_s += 1
        loop.idle()
    assert sum(key == b"_clock|context" for key, _ in disk.records("context")) == 4


def test_after_a_replay_an_event_without_step_is_live() -> None:
    disk, log = Disk(), Log(step="run|0")
    loop = loop_over(disk, log)
    log.goal(disk, 0, T0)
    loop.idle()
    log.step = None
    log.payment(0, T0 + HOUR)
    loop.batch([table(log.records)])
    assert clock_of(disk) == T0 + HOUR


def test_garbage_is_passed_over() -> None:
    disk, log = Disk(), Log()
    for topic in ("events", "decisions", "labels"):
        for value in (b"", b"{", b"\xff", b"[" * 5_000):
            log.add(topic, value)
    loop_over(disk, log).batch([table(log.records)])
    assert disk.published == []


def test_a_decision_made_again_is_counted_once() -> None:
    disk, log = Disk(), Log()
    log.add("events", event("e0", T0, "t"))
    for _ in range(3):
        log.add("decisions", decision("e0", T0, "t", 0))
    loop_over(disk, log).batch([table(log.records)])
    rows = [value for row, value in disk.scan("loop").items() if row.startswith(b"tuner|review_score|")]
    assert [msgspec.msgpack.decode(row[COLUMN], type=BudgetState).bins for row in rows] == [
        {"m1": {T0 // HOUR: {bin_of(0.3): 1}}}
    ]
