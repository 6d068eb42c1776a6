"""Profiles in memory, under the same laws as HBase: for tests and simulations."""

from collections.abc import Iterator, Mapping, Sequence


class MemoryStore:
    """Rows by partition and subject, each with the timestamp of its write."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, str], tuple[int, bytes]] = {}

    def load(self, partition: int, subjects: Sequence[str], within_s: float = 0.0) -> dict[str, bytes]:
        found = {subject: self._rows.get((partition, subject)) for subject in subjects}
        return {subject: cell[1] for subject, cell in found.items() if cell is not None}

    def save(self, partition: int, rows: Mapping[str, bytes], timestamp: int) -> None:
        for subject, row in rows.items():
            older = self._rows.get((partition, subject))
            if older is None or older[0] <= timestamp:
                self._rows[partition, subject] = (timestamp, row)

    def scan(self, partition: int) -> Iterator[dict[str, bytes]]:
        for (number, subject), (_, row) in sorted(self._rows.items()):
            if number == partition:
                yield {subject: row}
