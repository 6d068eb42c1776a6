"""What a machine remembers of its workers: their journal, in memory that outlives them instead of a file that does."""

from fraudbrain_realtime.journal import PAGE_BYTES, MappedHand
from fraudbrain_realtime.ports import Hand


class Machine:
    """Keeps a place for each partition."""

    def __init__(self) -> None:
        self._places: dict[int, bytearray] = {}

    def journal(self, epoch: int) -> "MachineJournal":
        return MachineJournal(self._places, epoch)


class MachineJournal:
    """Of one worker of the machine."""

    def __init__(self, places: dict[int, bytearray], epoch: int) -> None:
        self._places = places
        self._epoch = epoch

    def open(self, partition: int) -> Hand:
        return MappedHand(self._places.setdefault(partition, bytearray(PAGE_BYTES)), self._epoch)
