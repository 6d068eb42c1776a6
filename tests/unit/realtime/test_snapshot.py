"""The last controls known to be good: what was kept makes a worker decide as the one that kept it."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from fraudbrain_realtime.controls import ControlFeed, Controls, snapshot as snapshot_module
from fraudbrain_realtime.controls.snapshot import SNAPSHOT, SnapshotUnusable, SnapshotWriter, read_snapshot
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.controls import GRACE_MS
from fraudbrain_shared.records import StepGoal
from fraudbrain_shared.topics import clock_key, hold_key
from tests.unit.realtime.controls_of_cards import (
    DAY,
    T0,
    amount_limit,
    controls,
    decide,
    hold_record,
    model_record,
    rules_record,
    value_record,
)
from tests.unit.realtime.test_controls import state

NOW = T0 + DAY
LIMITS = "event.amount > param.terminal_amount_limit && event.amount > param.large_amount_limit"
RECORDS = [
    rules_record("r0", T0, 0, when=LIMITS),
    rules_record("r1", T0 + 10_000, 1, when=f"{LIMITS} && context.terminal_id.fraud_7d_count > 1"),
    model_record("m0", T0, 0, review_score=0.25),
    model_record("m1", T0 + 20_000, 1, review_score=0.75),
    model_record("c0", T0 + 15_000, 2, key=b"challenger"),
    ControlRecord("models", 3, b"challenger", None, T0 + 25_000),
    hold_record("large_amount_limit", 7_000, T0 + 5_000, 0),
    ControlRecord("parameters", 1, hold_key("large_amount_limit"), None, T0 + 30_000),
    value_record(amount_limit(60_000), T0, 2),
    hold_record("terminal_amount_limit", 3_000, T0, 3, id_="t2"),
    state("t1", 3),
    ControlRecord("context", 1, clock_key("j"), msgspec.json.encode({"job": "j", "event_time": T0}), T0),
]
BAD = [rules_record("bad", T0 + 40_000, 2, when="nonsense"), hold_record("large_amount_limit", 1, T0 + 40_000, 4)]

Write = Callable[[Controls, ControlFeed], SnapshotWriter]


def started(*records: ControlRecord) -> tuple[Controls, ControlFeed]:
    made = controls()
    feed = ControlFeed(made, lambda wait_s: [])
    feed.start(records)
    return made, feed


def said(made: Controls) -> list[bytes]:
    return [
        msgspec.json.encode(decide(made, append_time, terminal=terminal, amount=50_000))
        for append_time in range(T0 - 1, T0 + 60_000, 2_500)
        for terminal in ("t1", "t2", "t3")
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / SNAPSHOT


@pytest.fixture
def write(path: Path) -> Write:
    """Writes a whole snapshot."""

    def writer(made: Controls, feed: ControlFeed) -> SnapshotWriter:
        writer = SnapshotWriter(path, "w", "release", made, feed, every_s=0)
        writer.go_on(NOW)
        while writer._writing is not None:
            writer.go_on(NOW)
        return writer

    return writer


def test_a_worker_that_starts_from_a_snapshot_decides_as_the_one_that_kept_it(path: Path, write: Write) -> None:
    made, feed = started(*RECORDS, *BAD)
    before = said(made)
    write(made, feed)
    found = read_snapshot(path, "release", now_ms=NOW, max_age_s=0)
    other = controls()
    other_feed = ControlFeed(other, lambda wait_s: [])
    other_feed.resume(found.records(), found.offsets)
    assert said(other) == before
    assert (other.versions, other.counts, other.problems) == (made.versions, {}, ())
    assert other_feed.received == feed.received == {"rules": 3, "models": 4, "parameters": 5, "context": 2}


def test_reading_goes_on_where_the_snapshot_ends(path: Path, write: Write) -> None:
    write(*started(*RECORDS))
    found = read_snapshot(path, "release", now_ms=NOW, max_age_s=0)
    coming = [rules_record("r2", T0 + 50_000, found.offsets["rules"])]
    made = controls()
    feed = ControlFeed(made, lambda wait_s: [coming.pop()] if coming else [])
    feed.resume(found.records(), found.offsets)
    feed.refresh()
    assert decide(made, T0 + 50_000 + GRACE_MS).versions.rules == "r2"


def test_what_comes_while_it_is_written_is_in_it_or_comes_again(
    path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_module, "_AT_ONCE_S", -1.0)  # one record in each turn
    made, feed = started(*RECORDS)
    writer = SnapshotWriter(path, "w", "release", made, feed, every_s=0)
    later = [rules_record("r2", T0 + 50_000, 2), hold_record("large_amount_limit", 8_000, T0 + 50_000, 4)]
    for each in (None, *later):
        writer.go_on(NOW)
        assert not path.exists()
        if each is not None:
            feed.start([each])
    while writer._writing is not None:
        writer.go_on(NOW)
    found = read_snapshot(path, "release", now_ms=NOW, max_age_s=0)
    other = controls()
    ControlFeed(other, lambda wait_s: []).resume(found.records(), found.offsets)
    for each in later:
        assert each.offset >= found.offsets[each.topic]
        other.update(each)
    other.settle()
    assert said(other) == said(made)


def test_a_snapshot_is_not_used_that_is_missing_old_of_another_release_or_broken(path: Path, write: Write) -> None:
    def why(release: str = "release", now_ms: int = NOW, max_age_s: float = 3_600) -> str:
        with pytest.raises(SnapshotUnusable) as raised:
            read_snapshot(path, release, now_ms=now_ms, max_age_s=max_age_s)
        return str(raised.value)

    assert "no snapshot of the controls" in why()
    write(*started(*RECORDS))
    assert "3,601 s old; 3,600 s are allowed" in why(now_ms=NOW + 3_601_000)
    assert "another release" in why("other")
    whole = path.read_bytes()
    for broken in (b"", whole[:-1], whole[:-40], whole[:100] + b"?" + whole[101:], whole + whole[:20], b"\xff" * 64):
        path.write_bytes(broken)
        assert "is broken" in why()


def test_a_folder_that_cannot_be_written_is_told_and_changes_nothing_else(path: Path, write: Write) -> None:
    path.parent.write_text("a file where the folder should be")
    made, feed = started(*RECORDS)
    assert "cannot be kept" in write(made, feed).problem


def test_in_a_stepped_replay_nothing_is_kept(path: Path, write: Write) -> None:
    goal = ControlRecord("progress", 0, b"goal|r", msgspec.json.encode(StepGoal("r", 0, 0, {})))
    write(*started(goal, *RECORDS))
    assert not path.exists()


def test_what_a_killed_worker_left_half_written_is_removed_some_day(path: Path, write: Write) -> None:
    import os

    path.parent.mkdir()
    old, new = (path.with_name(f"{path.name}.{name}.part") for name in ("old", "new"))
    for part in (old, new):
        part.touch()
    os.utime(old, (0, 0))
    write(*started(*RECORDS))
    assert (old.exists(), new.exists(), path.exists()) == (False, True, True)
