"""The row of each event in HBase: its event and its first decision, whatever is repeated in any order.

What stands first in the log shall win. A cell at offset o may be written with the timestamp
T(o) = 2^62 - (generation * 2^44 + o): of two cells HBase shows the one with the larger timestamp,
that is the earlier offset. But a call through Thrift gives *one* timestamp to all its rows. So the
records of one partition are written in chunks that are unbroken ranges of its offsets; of the
records of one row in a chunk only the first is written, and the chunk's timestamp is T(a) of its
first offset a. The first still wins:

Let x be the first offset of a row and y > x another. Whenever x is written its chunk begins at
a <= x, so with a timestamp >= T(x). Whenever y is written, its chunk does not hold x, for x would
have been taken instead; being an unbroken range that holds y > x but not x it begins after x, so
with a timestamp < T(x). This asks nothing of where chunks begin: it holds across crashes, repeated
batches and batches cut differently after a checkpoint was lost. Two chunks that begin at the same
offset agree on the rows that both write, so that repeating is harmless too.

It needs: all records of a row in one partition (the key of `events` is the subject; a decision is
produced to its event's partition number), one version per cell, no deletes in the family.
"""

from collections.abc import Iterator
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from fraudbrain_shared.decision_row import decision_row
from fraudbrain_streaming.jobs.archive.raw import by_partition

EVENT_COLUMN: Final = b"d:event"
DECISION_COLUMN: Final = b"d:decision"

# Bounds a call's size: 2,048 records of 2 KiB are 4 MiB.
RECORDS_PER_CHUNK: Final = 2_048

_OFFSETS_PER_GENERATION: Final = 1 << 44


class Cells(Protocol):
    """Where cells are written: HBase, or a test's stand-in with the same law of timestamps."""

    def put(self, table: str, column: bytes, rows: dict[bytes, bytes], timestamp: int) -> None: ...


def timestamp(generation: int, offset: int) -> int:
    """T(offset): the smaller the generation, then the offset, the larger."""
    return (1 << 62) - (generation * _OFFSETS_PER_GENERATION + offset)


class FirstWins:
    """Writes events and decisions of one generation to the HBase table of decisions."""

    def __init__(
        self, cells: Cells, *, table: str, generation: int, records_per_chunk: int = RECORDS_PER_CHUNK
    ) -> None:
        self._cells, self._table, self._generation = cells, table, generation
        self._records_per_chunk = records_per_chunk

    def events(self, rows: pa.Table) -> None:
        """Write the admitted ones of some rows of the lake's events: unbroken offsets of each partition, in order."""
        self._write(EVENT_COLUMN, rows, subject="key")

    def decisions(self, rows: pa.Table) -> None:
        """Write the decoded ones of some rows of the lake's decisions, given like events."""
        self._write(DECISION_COLUMN, rows, subject="subject")

    def _write(self, column: bytes, rows: pa.Table, *, subject: str) -> None:
        for chunk in _chunks(rows, self._records_per_chunk):
            cells = _first_of_each_row(chunk, subject)
            if cells:
                first = chunk["offset"][0].as_py()
                self._cells.put(self._table, column, cells, timestamp(self._generation, first))


def _chunks(rows: pa.Table, length: int) -> Iterator[pa.Table]:
    for partition in by_partition(rows).values():
        for start in range(0, len(partition), length):
            yield partition.slice(start, length)


def _first_of_each_row(chunk: pa.Table, subject: str) -> dict[bytes, bytes]:
    named: Any = chunk.filter(pc.is_valid(chunk["event_id"]))
    cells: dict[bytes, bytes] = {}
    for name, event_id, value in zip(
        named[subject].to_pylist(), named["event_id"].to_pylist(), named["value"].to_pylist(), strict=True
    ):
        cells.setdefault(decision_row(name, event_id), value)
    return cells
