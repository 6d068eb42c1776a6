"""Which events end the process: known by how it ended before."""

from pathlib import Path

import pytest

from fraudbrain_realtime.journal import PAGE_BYTES, FileJournal, MappedHand


def opened(page: bytearray, epoch: int = 1, process: int = 1, alive: frozenset[int] = frozenset()) -> MappedHand:
    return MappedHand(page, epoch, process, alive.__contains__)


def die_of(page: bytearray, *offsets: int) -> None:
    """The process starts, works on these and dies with the last in hand."""
    hand = opened(page)
    for offset in offsets[:-1]:
        hand.take(offset)
        hand.put_down()
    hand.take(offsets[-1])


def fatal(page: bytearray, epoch: int = 1) -> set[int]:
    return set(opened(page, epoch).fatal)


@pytest.fixture
def page() -> bytearray:
    return bytearray(PAGE_BYTES)


def test_an_event_is_fatal_once_the_process_died_of_it_twice(page: bytearray) -> None:
    assert fatal(page) == set()
    die_of(page, 4, 5)
    assert fatal(page) == set()
    die_of(page, 4, 5)
    assert fatal(page) == {5}
    assert fatal(page) == {5}


def test_a_death_with_nothing_in_hand_blames_nobody(page: bytearray) -> None:
    for _ in range(3):
        hand = opened(page)
        hand.take(5)
        hand.put_down()
    assert fatal(page) == set()


def test_a_living_worker_that_lost_the_partition_is_no_death_and_writes_no_more(page: bytearray) -> None:
    for process in range(1, 5):
        before = opened(page, process=process, alive=frozenset(range(9)))
        assert before.fatal == set()
        before.take(5)
    last = opened(page, process=5, alive=frozenset(range(9)))
    last.take(7)
    before.put_down()
    before.take(5)
    die_of(page, 7)
    assert fatal(page) == {7}


def test_several_fatal_events_are_remembered_together(page: bytearray) -> None:
    for offset in (5, 5, 7, 7, 6, 6):
        die_of(page, offset)
    assert fatal(page) == {5, 6, 7}


def test_an_event_that_was_survived_since_its_first_death_begins_anew(page: bytearray) -> None:
    die_of(page, 5)
    die_of(page, 5, 6)
    die_of(page, 5)
    assert fatal(page) == set()


def test_an_offset_of_another_epoch_says_nothing(page: bytearray) -> None:
    die_of(page, 5)
    die_of(page, 5)
    assert fatal(page, epoch=2) == set()
    assert fatal(page, epoch=1) == set()


def test_more_fatal_events_than_the_page_has_room_for_leave_the_newest(page: bytearray) -> None:
    for offset in range(300):
        die_of(page, offset)
        die_of(page, offset)
    remembered = fatal(page)
    assert max(remembered) == 299
    assert 200 < len(remembered) < 300


def test_a_file_outlives_its_hands(tmp_path: Path) -> None:
    for _ in range(2):
        FileJournal(tmp_path / "group", epoch=1).open(3).take(9)  # as if by a process with our number, before us
    assert FileJournal(tmp_path / "group", epoch=1).open(3).fatal == {9}
    assert FileJournal(tmp_path / "group", epoch=1).open(4).fatal == set()


def test_a_shorter_file_of_an_older_worker_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "in-hand-0").write_bytes(bytes(32))
    assert FileJournal(tmp_path, epoch=1).open(0).fatal == set()


def test_without_a_disk_nothing_is_remembered_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    hand = FileJournal(tmp_path / "file", epoch=1).open(0)
    hand.take(1)
    hand.put_down()
    assert hand.fatal == set()
