"""What a machine remembers of its workers: their journal, in memory that outlives them instead of a file that does."""

from fraudbrain_realtime.journal import PAGE_BYTES, MappedHand
from fraudbrain_realtime.ports import Hand


class Machine:
    """Keeps a page for each partition, and knows which of its processes live."""

    def __init__(self) -> None:
        self.alive: set[int] = set()
        self._pages: dict[int, bytearray] = {}

    def journal(self, epoch: int, process: int) -> "MachineJournal":
        self.alive.add(process)
        return MachineJournal(self, epoch, process)

    def page(self, partition: int) -> bytearray:
        return self._pages.setdefault(partition, bytearray(PAGE_BYTES))


class MachineJournal:
    """Of one worker of the machine."""

    def __init__(self, machine: Machine, epoch: int, process: int) -> None:
        self._machine = machine
        self._epoch = epoch
        self._process = process

    def open(self, partition: int) -> Hand:
        machine = self._machine
        return MappedHand(machine.page(partition), self._epoch, self._process, machine.alive.__contains__)
