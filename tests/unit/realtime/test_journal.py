"""Which event a process died of, by what the next one finds in the file."""

from pathlib import Path

import pytest

from fraudbrain_realtime.journal import FileJournal


def died_with(folder: Path, offset: int | None, epoch: int = 1) -> set[int]:
    """A process opens the partition and dies with the event in hand; what it was told to avoid."""
    hand = FileJournal(folder, epoch).open(3)
    fatal = hand.fatal
    hand.take(1)
    hand.put_down()
    if offset is not None:
        hand.take(offset)
    return set(fatal)


def test_an_event_that_was_in_hand_at_two_deaths_is_fatal(tmp_path: Path) -> None:
    assert died_with(tmp_path, 7) == set()
    assert died_with(tmp_path, 7) == set()
    assert died_with(tmp_path, None) == {7}
    assert died_with(tmp_path, None) == {7}  # what is known stays known


def test_two_different_events_are_a_coincidence(tmp_path: Path) -> None:
    assert died_with(tmp_path, 7) == set()
    assert died_with(tmp_path, 8) == set()
    assert died_with(tmp_path, None) == set()


def test_dying_with_nothing_in_hand_is_nobodys_fault(tmp_path: Path) -> None:
    for _ in range(5):
        assert died_with(tmp_path, None) == set()


def test_an_offset_of_another_epoch_is_another_event(tmp_path: Path) -> None:
    died_with(tmp_path, 7, epoch=1)
    assert died_with(tmp_path, 7, epoch=2) == set()
    assert died_with(tmp_path, None, epoch=2) == set()


def test_partitions_are_apart(tmp_path: Path) -> None:
    died_with(tmp_path, 7)
    journal = FileJournal(tmp_path, 1)
    journal.open(4).take(7)
    assert journal.open(4).fatal == set()
    assert journal.open(3).fatal == set()


def test_without_a_folder_nothing_is_remembered_and_events_are_decided(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    hand = FileJournal(tmp_path / "file", 1).open(0)
    hand.take(5)
    hand.put_down()
    assert hand.fatal == set()
    assert "will not be recognised" in caplog.text


def test_a_file_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "in-hand-3").write_bytes(b"\x01\x02")
    assert died_with(tmp_path, 7) == set()
