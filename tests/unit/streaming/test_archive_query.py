"""Where the archive goes on reading, and when it refuses to."""

from pathlib import Path

import pytest

from fraudbrain_streaming.jobs.archive.labels import Labels
from fraudbrain_streaming.jobs.archive.query import LogBroken, checkpoint, next_offsets
from fraudbrain_streaming.kafka import TopicLog
from tests.unit.streaming.archiving import World, batch, label, record


def held_to_five(world: World) -> None:
    world.archive().file(0, batch([record("labels", offset, label("e")) for offset in range(5)]))


def test_reading_goes_on_after_what_the_lake_holds(world: World) -> None:
    held_to_five(world)
    log = TopicLog("id", begins={0: 2, 1: 7}, ends={0: 9, 1: 7})
    assert next_offsets(world.table("labels", Labels()), log) == {0: 5, 1: 7}


def test_records_deleted_before_they_were_archived_are_not_passed_over(world: World) -> None:
    held_to_five(world)
    with pytest.raises(LogBroken, match="offsets 5 to 7 were deleted"):
        next_offsets(world.table("labels", Labels()), TopicLog("id", begins={0: 8}, ends={0: 9}))


def test_a_log_shorter_than_the_lake_is_not_continued(world: World) -> None:
    held_to_five(world)
    with pytest.raises(LogBroken, match="ends at offset 3"):
        next_offsets(world.table("labels", Labels()), TopicLog("id", begins={0: 0}, ends={0: 3}))


def test_another_table_has_another_checkpoint(world: World, tmp_path: Path) -> None:
    folder = Path("checkpoints")
    first = checkpoint(folder, {"labels": world.table("labels", Labels())})
    assert checkpoint(folder, {"labels": world.table("labels", Labels())}) == first
    other = World(tmp_path / "other").table("labels", Labels())
    assert checkpoint(folder, {"labels": other}) != first
