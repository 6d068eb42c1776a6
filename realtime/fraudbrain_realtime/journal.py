"""Which events were in hand when a process died: a page of a file for each partition, that outlives it.

No `except` catches a segmentation fault or the kernel's out-of-memory killer. Such an event would be met again at every
start. The file is mapped into memory: noting an event costs no system call, and what was noted is there whatever the
process dies of. (It is not if the machine dies; then no event is to blame.) Workers of one machine share the pages: one
that lost a partition without knowing it yet is not dead, and what it has in hand is not to blame.
"""

import logging
import mmap
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from fraudbrain_realtime.ports import Hand

log = logging.getLogger(__name__)

FATAL_DEATHS: Final = 2
NOTHING: Final = -1

PAGE_BYTES: Final = 4_096
_EPOCH, _IN_HAND, _PROCESS, _SUSPECTS = (
    0,
    1,
    2,
    3,
)  # places in the page; from the last on an offset and its deaths by turns
_END: Final = (0, 0)
_MOST_SUSPECTS: Final = (PAGE_BYTES // 8 - _SUSPECTS) // 2 - 1


class MappedHand:
    """A partition's place, in a page that whoever owned the partition before on this machine has written.

    It is written on by the `process` that opened it last; `is_alive` tells of another one by its number.
    """

    def __init__(self, page: bytearray | mmap.mmap, epoch: int, process: int, is_alive: Callable[[int], bool]) -> None:
        self._place = memoryview(page).cast("q")
        self._process = process
        self._is_alive = is_alive
        self.fatal = self._opened(epoch)

    def take(self, offset: int) -> None:
        if self._place[_PROCESS] == self._process:
            self._place[_IN_HAND] = offset

    def put_down(self) -> None:
        if self._place[_PROCESS] == self._process:
            self._place[_IN_HAND] = NOTHING

    def _opened(self, epoch: int) -> frozenset[int]:
        """The offsets that the process died of twice. An offset of another epoch says nothing."""
        place = self._place
        deaths = dict(self._suspects()) if place[_EPOCH] == epoch else {}
        if place[_EPOCH] == epoch and place[_IN_HAND] != NOTHING and not self._is_alive(place[_PROCESS]):
            deaths = _after_death(deaths, place[_IN_HAND])
        place[_EPOCH], place[_IN_HAND], place[_PROCESS] = epoch, NOTHING, self._process
        at = _SUSPECTS
        for offset, times in (*sorted(deaths.items())[-_MOST_SUSPECTS:], _END):
            place[at], place[at + 1] = offset, times
            at += 2
        return frozenset(offset for offset, times in deaths.items() if times >= FATAL_DEATHS)

    def _suspects(self) -> Iterator[tuple[int, int]]:
        at = _SUSPECTS
        while self._place[at + 1]:
            yield self._place[at], self._place[at + 1]
            at += 2


def _after_death(deaths: Mapping[int, int], in_hand: int) -> dict[int, int]:
    """Deaths by offset after one more. An earlier event that was in hand at only one was survived since; fatal ones
    are remembered together, for they may all be met again before anything is committed."""
    kept = {offset: times for offset, times in deaths.items() if times >= FATAL_DEATHS or offset >= in_hand}
    kept[in_hand] = kept.get(in_hand, 0) + 1
    log.warning("offset %d was in hand when a process died, %d in a row", in_hand, kept[in_hand])
    return kept


class FileJournal:
    """A folder with a file for each partition; one for each group on a machine and topic, whose offsets they are."""

    def __init__(self, folder: Path, epoch: int) -> None:
        self._folder = folder
        self._epoch = epoch

    def open(self, partition: int) -> Hand:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return MappedHand(_mapped(self._folder / f"in-hand-{partition}"), self._epoch, os.getpid(), _is_alive)
        except OSError as error:
            log.error("an event that ends the process will not be recognised: %s", error)
            return ForgetfulHand()


def _is_alive(process: int) -> bool:
    """Whether another process of this number runs. One with our own was there before us."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True


def _mapped(path: Path) -> mmap.mmap:
    """The file's page, made if it is not there. Raises OSError where it cannot be."""
    with path.open("a+b") as file:
        file.write(bytes(max(0, PAGE_BYTES - path.stat().st_size)))
        file.flush()
        return mmap.mmap(file.fileno(), PAGE_BYTES)


class ForgetfulHand:
    """Remembers nothing: where there is no disk to remember it on."""

    fatal: frozenset[int] = frozenset()

    def take(self, offset: int) -> None:
        pass

    def put_down(self) -> None:
        pass
