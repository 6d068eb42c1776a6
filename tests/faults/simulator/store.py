"""The profile store: cells with timestamps, of which the largest wins."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fraudbrain_realtime.ports import StoreUnavailable
from fraudbrain_shared.features import decode_profile
from tests.faults.simulator.circumstances import Circumstances
from tests.faults.simulator.world import World


@dataclass(frozen=True, slots=True)
class Cell:
    """A row and when it was written, in the writers' own time; the last part is what `applied` says of it."""

    timestamp: int
    row: bytes
    applied: tuple[int, int]


class SimStore:
    """Rows by partition and subject. `regressed` hears of a row that shows less than the one before it."""

    def __init__(self, world: World, given: Circumstances, regressed: Callable[[str], None]) -> None:
        self._world = world
        self._given = given
        self._regressed = regressed
        self.is_up = True
        self.cells: dict[int, dict[str, Cell]] = {partition: {} for partition in range(given.partitions)}

    def put(self, partition: int, rows: Mapping[str, bytes], timestamp: int) -> None:
        """What lands, however late and whoever wrote it."""
        cells = self.cells[partition]
        for subject, row in rows.items():
            cell = cells.get(subject)
            if cell is None or self.shows(timestamp, cell):
                profile = decode_profile(row)
                applied = profile.epoch, profile.last_applied
                if cell is not None and applied < cell.applied:
                    self._regressed(f"row {partition}/{subject} went back from {cell.applied} to {applied}")
                cells[subject] = Cell(timestamp, row, applied)
                self._world.tell(f"row {partition}/{subject} shows {applied}")
            else:
                self._world.tell(f"row {partition}/{subject} was written too late: {timestamp} < {cell.timestamp}")

    def shows(self, timestamp: int, cell: Cell) -> bool:
        """Whether what is written now is what is read from now on."""
        return timestamp >= cell.timestamp

    def rows(self, partition: int, subjects: Sequence[str]) -> dict[str, bytes]:
        cells = self.cells[partition]
        return {subject: cells[subject].row for subject in subjects if subject in cells}


class SimReads:
    """A worker's reads of the store."""

    def __init__(self, world: World, given: Circumstances, store: SimStore, interfere: Callable[[], None]) -> None:
        self._world = world
        self._given = given
        self._store = store
        self._interfere = interfere

    def load(self, partition: int, subjects: Sequence[str], within_s: float) -> dict[str, bytes]:
        """Others may come between the reading and its answer, too."""
        self._interfere()
        fails = self._given.load_fails
        if not self._store.is_up or (fails and self._world.chance() < fails):
            self._world.pass_time(within_s)
            raise StoreUnavailable("away")
        rows = self._store.rows(partition, subjects)
        self._interfere()
        return rows
