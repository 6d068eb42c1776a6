"""The loop's state in HBase, which moves from batch to batch as a whole.

HBase writes a row atomically, never several. So all that a batch changes is first written into one row,
the journal, and then into the rows it belongs to. Whoever starts writes the journal's rows again: the state
is that before the batch or that after it, in every row, and one vector of offsets says for all of them
what they hold. The marks of labelled decisions, in another table, move along.

A commit's number is the timestamp of its cells: repeating it changes nothing.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, Protocol

import msgspec

COLUMN: Final = b"d:state"
MARK_COLUMN: Final = b"d:labelled"
_JOURNAL: Final = b"journal"
_BYTES_PER_CELL: Final = 4 * 1024 * 1024  # HBase refuses cells above 10 MiB

Cells = dict[bytes, bytes]


class Rows(Protocol):
    """Where rows are kept: HBase, or a test's stand-in."""

    def put(self, table: str, column: bytes, rows: dict[bytes, bytes], timestamp: int) -> None: ...
    def put_row(self, table: str, row: bytes, cells: Cells, timestamp: int) -> None: ...
    def delete(self, table: str, column: bytes, rows: Collection[bytes], timestamp: int) -> None: ...
    def get_many(self, table: str, rows: Collection[bytes]) -> dict[bytes, Cells]: ...
    def scan(self, table: str) -> dict[bytes, Cells]: ...


class _Journal(msgspec.Struct):
    """A commit: rows of the state, None for those that are gone, and marks in the table of decisions."""

    number: int
    rows: dict[bytes, bytes | None]
    marks: dict[bytes, bytes]


class StateTable:
    """The rows of one loop; one writer at a time."""

    def __init__(self, rows: Rows, *, table: str, decisions: str) -> None:
        self._rows, self._table, self._decisions = rows, table, decisions

    def load(self) -> dict[bytes, bytes]:
        """All rows, after whatever commit was broken off has been ended."""
        journal = self._rows.get_many(self._table, [_JOURNAL]).get(_JOURNAL)
        if journal:
            self._write(_decode(journal))
        found = self._rows.scan(self._table)
        return {row: cells[COLUMN] for row, cells in found.items() if row != _JOURNAL and COLUMN in cells}

    def commit(self, number: int, rows: Mapping[bytes, bytes | None], marks: Mapping[bytes, bytes]) -> None:
        """Write what a batch has changed. `number` is larger than any before."""
        journal = _Journal(number, dict(rows), dict(marks))
        self._rows.put_row(self._table, _JOURNAL, dict(_encode(journal)), number)
        self._write(journal)

    def _write(self, journal: _Journal) -> None:
        kept = {row: value for row, value in journal.rows.items() if value is not None}
        gone = [row for row, value in journal.rows.items() if value is None]
        self._rows.put(self._table, COLUMN, kept, journal.number)
        self._rows.delete(self._table, COLUMN, gone, journal.number)
        self._rows.put(self._decisions, MARK_COLUMN, journal.marks, journal.number)


def _encode(journal: _Journal) -> Iterator[tuple[bytes, bytes]]:
    """Numbered cells, each headed by the commit's number: a longer journal leaves cells behind."""
    data = msgspec.msgpack.encode(journal)
    for place, start in enumerate(range(0, len(data), _BYTES_PER_CELL)):
        yield b"d:%06d" % place, journal.number.to_bytes(8, "big") + data[start : start + _BYTES_PER_CELL]


def _decode(cells: Cells) -> _Journal:
    number = max(value[:8] for value in cells.values())
    data = b"".join(cells[column][8:] for column in sorted(cells) if cells[column][:8] == number)
    return msgspec.msgpack.decode(data, type=_Journal)
