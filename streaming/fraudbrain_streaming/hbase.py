"""HBase through its Thrift gateway, for work that may be repeated: puts with a timestamp, reads.

The client library takes a late reply for the answer to the next call (`numbered_calls` says how).
Here a connection that failed in any way is thrown away; the call is made again on a new one until
the store's patience ends, which is sound because every call here has the same effect when repeated.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

import happybase
from Hbase_thrift import AlreadyExists, BatchMutation, ColumnDescriptor, Hbase, Mutation
from thriftpy2.thrift import TClient, TException

from fraudbrain_shared.numbered_calls import NumberedCalls

Answer = TypeVar("Answer")
Cell = tuple[bytes, bytes]

# Measured: 20,000 to 38,000 rows/s at 512 rows a call, hardly more above 2,048.
ROWS_PER_CALL: Final = 1_024
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0


class StoreUnavailable(Exception):
    """HBase did not do it within the store's patience. The message holds no stack trace and no data."""


class NoSuchTable(StoreUnavailable):
    """The table does not exist. Said at once: waiting would not make it."""


class NumberedClient(NumberedCalls, TClient):  # type: ignore[misc]
    """thriftpy2's client with numbered requests."""


class NumberedConnection(happybase.Connection):  # type: ignore[misc]
    """happybase's connection with numbered requests. Never to be opened a second time."""

    def _refresh_thrift_client(self) -> None:
        super()._refresh_thrift_client()
        self.client: Any = NumberedClient(Hbase, self._protocol_class(self.transport, decode_response=False))


class Store:
    """One connection at a time to one gateway, `HOST:PORT`; for one thread.

    A call waits at most `timeout_s` for its reply and is repeated until `patience_s` have gone by
    since it was first made; then it raises `StoreUnavailable`.
    """

    def __init__(self, address: str, *, timeout_s: float = 10.0, patience_s: float = 60.0) -> None:
        host, _, port = address.rpartition(":")
        self._address, self._host, self._port = address, host, int(port)
        self._timeout_s, self._patience_s = timeout_s, patience_s
        self._connection: NumberedConnection | None = None

    def create_table(self, name: str) -> None:
        """Make the table with the family `d`, one version and no time to live, if it is missing."""
        family = ColumnDescriptor(name=b"d:", maxVersions=1)

        def create(client: Any) -> None:
            if name.encode() in client.getTableNames():
                return
            with contextlib.suppress(AlreadyExists):
                client.createTable(name.encode(), [family])

        self._call(f"create table {name}", create)

    def put(self, table: str, column: bytes, rows: dict[bytes, bytes], timestamp: int) -> None:
        """Write one column of some rows, by row key, all with the same timestamp; several calls if many."""
        cells = iter(rows.items())
        while piece := list(islice(cells, ROWS_PER_CALL)):
            self._put(table, column, piece, timestamp)

    def get(self, table: str, row: bytes) -> dict[bytes, bytes]:
        """The cells of a row by column; empty if there is no such row. Raises `NoSuchTable` as well."""

        def read(client: Any) -> dict[bytes, bytes]:
            found = client.getRow(table.encode(), row, {})
            return {column: cell.value for column, cell in found[0].columns.items()} if found else {}

        return self._call(f"read from {table}", read)

    def put_row(self, table: str, row: bytes, cells: dict[bytes, bytes], timestamp: int) -> None:
        """Write several columns of one row: all of them or, if this is broken off, none."""
        mutations = [Mutation(isDelete=False, column=column, value=cells[column], writeToWAL=True) for column in cells]
        self._call(
            f"write a row to {table}", lambda client: client.mutateRowTs(table.encode(), row, mutations, timestamp, {})
        )

    def delete(self, table: str, column: bytes, rows: Collection[bytes], timestamp: int) -> None:
        """Remove one column of some rows as it was up to the timestamp; what is written with a larger one stays."""
        cells = iter(rows)
        while piece := list(islice(cells, ROWS_PER_CALL)):
            batches = [BatchMutation(row, [Mutation(isDelete=True, column=column, writeToWAL=True)]) for row in piece]
            self._mutate(table, batches, timestamp)

    def get_many(self, table: str, rows: Collection[bytes]) -> dict[bytes, dict[bytes, bytes]]:
        """The cells by column of those of the rows that there are, by row key."""
        keys = iter(rows)
        found: dict[bytes, dict[bytes, bytes]] = {}
        while piece := list(islice(keys, ROWS_PER_CALL)):
            found |= self._call(f"read from {table}", partial(_rows, table.encode(), piece))
        return found

    def scan(self, table: str) -> dict[bytes, dict[bytes, bytes]]:
        """The cells by column of all rows of a table that fits into memory, by row key."""

        def read(client: Any) -> dict[bytes, dict[bytes, bytes]]:
            scanner = client.scannerOpen(table.encode(), b"", [], {})
            found: dict[bytes, dict[bytes, bytes]] = {}
            while piece := client.scannerGetList(scanner, ROWS_PER_CALL):
                found |= _cells(piece)
            client.scannerClose(scanner)
            return found

        return self._call(f"scan {table}", read)

    def close(self) -> None:
        """Close the connection. The next call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError, TException):
                connection.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, table: str, column: bytes, cells: list[Cell], timestamp: int) -> None:
        batches = [
            BatchMutation(row, [Mutation(isDelete=False, column=column, value=value, writeToWAL=True)])
            for row, value in cells
        ]
        self._mutate(table, batches, timestamp)

    def _mutate(self, table: str, batches: list[Any], timestamp: int) -> None:
        self._call(
            f"write {len(batches)} rows to {table}",
            lambda client: client.mutateRowsTs(table.encode(), batches, timestamp, {}),
        )

    def _call(self, what: str, work: Callable[[Any], Answer]) -> Answer:
        deadline = time.monotonic() + self._patience_s
        for pause_s in _pauses():
            try:
                return work(self._client())
            except (OSError, TException) as error:
                self.close()
                told = f"HBase at {self._address}: {what}: {_cause(error)}"
                if "TableNotFoundException" in told:
                    raise NoSuchTable(told) from None
                if time.monotonic() + pause_s >= deadline:
                    raise StoreUnavailable(told) from None
                time.sleep(pause_s)
            except BaseException:
                self.close()
                raise
        raise AssertionError("pauses have no end")

    def _client(self) -> Any:
        if self._connection is None:
            self._connection = NumberedConnection(self._host, self._port, timeout=int(self._timeout_s * 1000))
        return self._connection.client


def _rows(table: bytes, keys: list[bytes], client: Any) -> dict[bytes, dict[bytes, bytes]]:
    return _cells(client.getRows(table, keys, {}))


def _cells(rows: Any) -> dict[bytes, dict[bytes, bytes]]:
    return {row.row: {column: cell.value for column, cell in row.columns.items()} for row in rows}


def _pauses() -> Iterator[float]:
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _cause(error: Exception) -> str:
    """The error's name and its first line: the gateway's errors carry whole Java stack traces."""
    message = getattr(error, "message", None) or str(error)
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
    first = text.strip().splitlines()[0] if text.strip() else ""
    return f"{type(error).__name__}: {first[:200]}" if first else type(error).__name__
