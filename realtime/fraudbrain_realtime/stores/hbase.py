"""Profiles in HBase, through its Thrift gateway.

A row's key is its partition number in four hex digits and the subject. Cells carry explicit
timestamps and one version is kept, so a write by an old owner, with a smaller timestamp, never shows.
That holds only while the family has no time to live and nothing is deleted from it.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

import happybase
from Hbase_thrift import AlreadyExists, BatchMutation, ColumnDescriptor, Hbase, Mutation
from thriftpy2.thrift import TClient, TException

from fraudbrain_realtime.ports import StoreUnavailable
from fraudbrain_shared.numbered_calls import NumberedCalls

Answer = TypeVar("Answer")

COLUMN: Final = b"p:profile"
ROWS_PER_CALL: Final = 1_024
TIMEOUT_MS: Final = 2_000
CREATION_TIMEOUT_MS: Final = 30_000
PATIENCE_S: Final = 30.0
PAUSE_S: Final = 0.5


class NumberedClient(NumberedCalls, TClient):  # type: ignore[misc]
    """thriftpy2's client, with replies that cannot be taken for one another."""


class Connection(happybase.Connection):  # type: ignore[misc]
    """happybase's connection with that client. Never opened a second time."""

    def _refresh_thrift_client(self) -> None:
        super()._refresh_thrift_client()
        self.client: Any = NumberedClient(Hbase, self._protocol_class(self.transport, decode_response=False))


class Gateway:
    """Calls to one Thrift gateway. A connection on which anything went wrong is thrown away."""

    def __init__(self, host: str, port: int, *, timeout_ms: int = TIMEOUT_MS) -> None:
        self._host = host
        self._port = port
        self._timeout_ms = timeout_ms
        self._connection: Connection | None = None

    def call(self, work: Callable[[Any], Answer]) -> Answer:
        """What `work` answers, given the client. Raises StoreUnavailable."""
        try:
            if self._connection is None:
                self._connection = Connection(self._host, self._port, timeout=self._timeout_ms)
            return work(self._connection.client)
        except (OSError, TException) as error:
            self.close()
            # Only the kind of error: the gateway's messages are whole Java stack traces.
            raise StoreUnavailable(f"HBase at {self._host}:{self._port}: {type(error).__name__}") from None
        except BaseException:
            self.close()
            raise

    def call_patiently(self, work: Callable[[Any], Answer], patience_s: float = PATIENCE_S) -> Answer:
        """The same, asked again for so long: at a start HBase may be starting too, or another worker be
        making the same table. `work` must do no harm when repeated. Raises StoreUnavailable."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return self.call(work)
            except StoreUnavailable:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(PAUSE_S)

    def close(self) -> None:
        """Closes the connection; the next call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError, TException):
                connection.close()


def create_table(host: str, port: int, table: str, family: bytes) -> None:
    """Makes a table that keeps one version for ever, unless it is there. Raises StoreUnavailable."""

    def create(client: Any) -> None:
        if table.encode() not in client.getTableNames():
            with contextlib.suppress(AlreadyExists):
                client.createTable(table.encode(), [ColumnDescriptor(name=family + b":", maxVersions=1)])

    gateway = Gateway(host, port, timeout_ms=CREATION_TIMEOUT_MS)
    try:
        gateway.call_patiently(create)
    finally:
        gateway.close()


def note_once(gateway: Gateway, table: str, row: bytes, column: bytes, value: bytes) -> bytes:
    """Writes the value unless the cell has one; returns what stands there. Raises StoreUnavailable."""

    def note_or_read(client: Any) -> bytes:
        put = Mutation(isDelete=False, column=column, value=value, writeToWAL=True)
        client.checkAndPut(table.encode(), row, column, None, put, {})
        found: bytes = client.get(table.encode(), row, column, {})[0].value
        return found

    return gateway.call_patiently(note_or_read)


class HBaseStore:
    """The profiles of one group of workers."""

    def __init__(self, gateway: Gateway, table: str) -> None:
        self._gateway = gateway
        self._table = table.encode()

    def load(self, partition: int, subjects: Sequence[str]) -> dict[str, bytes]:
        wanted = {_row_key(partition, subject): subject for subject in subjects}
        found = self._gateway.call(lambda client: client.getRowsWithColumns(self._table, list(wanted), [COLUMN], {}))
        return {wanted[row.row]: row.columns[COLUMN].value for row in found if row.columns}

    def save(self, partition: int, rows: Mapping[str, bytes], timestamp: int) -> None:
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

    def _write(self, batches: list[Any], timestamp: int) -> None:
        self._gateway.call(lambda client: client.mutateRowsTs(self._table, batches, timestamp, {}))


def _row_key(partition: int, subject: str) -> bytes:
    return b"%04x" % partition + subject.encode()
