"""The profiles of one group of workers, a row each.

A row's key is its partition number in four hex digits and the subject. Cells carry explicit
timestamps and one version is kept, so a write by an old owner, with a smaller timestamp, never shows.
That holds only while the family has no time to live and nothing is deleted from it.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from Hbase_thrift import BatchMutation, Mutation, TScan

from fraudbrain_realtime.ports import Clock, StoreUnavailable
from fraudbrain_realtime.stores.breaker import Breaker
from fraudbrain_realtime.stores.hbase.gateway import TIMEOUT_S, Gateway

COLUMN: Final = b"p:profile"
ROWS_PER_CALL: Final = 1_024
ROWS_PER_PIECE: Final = 512
_NOBODY: Final = b"\xff"
_AFTER_ALL_SUBJECTS: Final = b"\xff"  # no subject's bytes begin with it: they are UTF-8


class ProfileTable:
    """Read on the decision path and, by the keeper, written and scanned. One thread at a time."""

    def __init__(self, gateway: Gateway, table: str, clock: Clock = time.monotonic) -> None:
        self._gateway = gateway
        self._table = table.encode()
        self.breaker = Breaker(clock)

    def load(self, partition: int, subjects: Sequence[str], within_s: float) -> dict[str, bytes]:
        """The rows that exist. Raises StoreUnavailable, and without asking while most of what was asked failed."""
        if not self.breaker.admits():
            raise StoreUnavailable("HBase failed too often just now")
        wanted = {_row_key(partition, subject): subject for subject in subjects}
        try:
            found = self._gateway.call_patiently(
                lambda client: client.getRowsWithColumns(self._table, list(wanted), [COLUMN], {}),
                patience_s=within_s,
                attempt_s=min(within_s, TIMEOUT_S),
            )
        except StoreUnavailable:
            self.breaker.failed()
            raise
        self.breaker.succeeded()
        return {wanted[row.row]: row.columns[COLUMN].value for row in found if row.columns}

    def warm_up(self) -> None:
        """Asks for a row that nobody has: the gateway looks for a table's place when it is first asked for it.

        Raises StoreUnavailable.
        """
        self._gateway.call_patiently(lambda client: client.getRowsWithColumns(self._table, [_NOBODY], [COLUMN], {}))

    def save(self, partition: int, rows: Mapping[str, bytes], timestamp: int) -> None:
        """Writes rows; where a row has a larger timestamp already, that one stays. Raises StoreUnavailable."""
        cells = iter(rows.items())
        while piece := list(islice(cells, ROWS_PER_CALL)):
            batches = [
                BatchMutation(
                    _row_key(partition, subject),
                    [Mutation(isDelete=False, column=COLUMN, value=row, writeToWAL=True)],
                )
                for subject, row in piece
            ]
            self._write(batches, timestamp)

    def scan(self, partition: int) -> Iterator[dict[str, bytes]]:
        """All rows of a partition that stood there at the beginning, in pieces. Raises StoreUnavailable."""
        prefix = _row_key(partition, "")
        start = prefix
        while piece := self._rows_from(start, prefix + _AFTER_ALL_SUBJECTS):
            yield {row.row[len(prefix) :].decode(): row.columns[COLUMN].value for row in piece}
            start = piece[-1].row + b"\x00"

    def _rows_from(self, start: bytes, stop: bytes) -> list[Any]:
        """The next rows in the order of their keys. Each piece has a scanner of its own: one that is left open
        when a connection breaks expires only after minutes."""

        def read(client: Any) -> list[Any]:
            scan = TScan(startRow=start, stopRow=stop, columns=[COLUMN], caching=ROWS_PER_PIECE)
            scanner = client.scannerOpenWithScan(self._table, scan, {})
            rows: list[Any] = client.scannerGetList(scanner, ROWS_PER_PIECE)
            client.scannerClose(scanner)
            return rows

        return self._gateway.call(read)

    def _write(self, batches: list[Any], timestamp: int) -> None:
        self._gateway.call(lambda client: client.mutateRowsTs(self._table, batches, timestamp, {}))


def _row_key(partition: int, subject: str) -> bytes:
    return b"%04x" % partition + subject.encode()
