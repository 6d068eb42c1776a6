"""Which event was in hand when a process died: a few bytes of a file for each partition, that outlive it.

No `except` catches a segmentation fault or the kernel's out-of-memory killer. Such an event would be met again at every
start. The file is mapped into memory: noting an event costs no system call, and what was noted is there whatever the
process dies of. (It is not if the machine dies; then no event is to blame.)
"""

import logging
import mmap
import struct
from pathlib import Path
from typing import Final

from fraudbrain_realtime.ports import Hand

log = logging.getLogger(__name__)

FATAL_DEATHS: Final = 2
NOTHING: Final = -1

_PLACE: Final = struct.Struct("=qqqq")  # epoch, offset in hand, offset of the last death, deaths of it in a row


class FileHand:
    """A partition's place, in a file that whoever owned the partition before on this machine has written.

    Raises OSError where the file cannot be made.
    """

    def __init__(self, path: Path, epoch: int) -> None:
        with path.open("a+b") as file:
            file.write(bytes(max(0, _PLACE.size - path.stat().st_size)))
            file.flush()
            self._map = mmap.mmap(file.fileno(), _PLACE.size)
        self._place = memoryview(self._map).cast("q")
        self.fatal = self._opened(epoch)

    def take(self, offset: int) -> None:
        self._place[1] = offset

    def put_down(self) -> None:
        self._place[1] = NOTHING

    def _opened(self, epoch: int) -> int | None:
        """The offset that the process died of twice. An offset of another epoch says nothing."""
        known, in_hand, died_of, deaths = _PLACE.unpack(self._map[:])
        if known != epoch:
            in_hand, died_of, deaths = NOTHING, NOTHING, 0
        if in_hand != NOTHING:
            deaths = deaths + 1 if in_hand == died_of else 1
            died_of = in_hand
            log.warning("offset %d was in hand when a process died, %d in a row", died_of, deaths)
        self._map[:] = _PLACE.pack(epoch, NOTHING, died_of, deaths)
        return died_of if deaths >= FATAL_DEATHS else None


class FileJournal:
    """A folder with a file for each partition, one folder for each group on a machine."""

    def __init__(self, folder: Path, epoch: int) -> None:
        self._folder = folder
        self._epoch = epoch

    def open(self, partition: int) -> Hand:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return FileHand(self._folder / f"in-hand-{partition}", self._epoch)
        except OSError as error:
            log.error("an event that ends the process will not be recognised: %s", error)
            return ForgetfulHand()


class ForgetfulHand:
    """Remembers nothing: where there is no disk to remember it on."""

    fatal: int | None = None

    def take(self, offset: int) -> None:
        pass

    def put_down(self) -> None:
        pass
