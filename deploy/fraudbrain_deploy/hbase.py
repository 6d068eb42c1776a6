"""HBase as deploy uses it: the only module here, beside the stack's probes, that knows its client library."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import happybase
from Hbase_thrift import Mutation
from thriftpy2.thrift import TException

from fraudbrain_deploy.errors import UserError

TIMEOUT_S = 60.0  # disabling a table waits for its regions to close


class Table:
    """The rows of one table, over one connection; a context manager.

    Where HBase does not answer, UserError is raised and the table must not be used again: on a connection that
    timed out, the next call would be given the answer to the one before.
    """

    def __init__(self, address: tuple[str, int], name: str) -> None:
        self._address = address
        self._name = name
        with self._told():
            self._connection = _connect(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def exists(self) -> bool:
        """Whether somebody has made the table."""
        with self._told():
            return self._name.encode() in self._connection.tables()

    def rows(self, keys: Sequence[bytes]) -> dict[bytes, dict[bytes, bytes]]:
        """Those of the rows that there are, with their cells by column."""
        with self._told():
            return dict(self._table.rows(keys)) if keys else {}

    def scan(self, prefix: bytes) -> dict[bytes, dict[bytes, bytes]]:
        """All rows whose keys begin so."""
        with self._told():
            return dict(self._table.scan(row_prefix=prefix))

    def replace(self, row: bytes, column: bytes, value: bytes, *, old: bytes | None) -> bool:
        """Writes the cell if it holds `old`, None being no cell; whether it did."""
        put = Mutation(isDelete=False, column=column, value=value, writeToWAL=True)
        with self._told():
            return bool(self._connection.client.checkAndPut(self._name.encode(), row, column, old, put, {}))

    @property
    def _table(self) -> Any:
        return self._connection.table(self._name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        host, port = self._address
        try:
            yield
        except (OSError, TException) as error:
            # Only the kind of error: the gateway's messages are whole Java stack traces.
            raise UserError(
                f"HBase at {host}:{port} did not answer for {self._name}: {type(error).__name__}.",
                "See `fraudbrain stack status`.",
            ) from None


def tables(address: tuple[str, int], prefix: str) -> list[str]:
    """The names of the tables that begin with `prefix`. Raises OSError or Thrift's errors when HBase is away."""
    connection = _connect(address)
    try:
        return sorted(name for name in (raw.decode() for raw in connection.tables()) if name.startswith(prefix))
    finally:
        connection.close()


def drop_tables(address: tuple[str, int], prefix: str) -> list[str]:
    """Disables and drops all tables whose name begins with `prefix`; returns their names."""
    doomed = tables(address, prefix)
    for name in doomed:
        connection = _connect(address)  # a new one each: a connection that timed out hands out others' replies
        try:
            connection.delete_table(name, disable=connection.is_table_enabled(name))
        finally:
            connection.close()
    return doomed


def rows(address: tuple[str, int], table: str, column: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Key, timestamp and value of each row of a table that has the column, in the order of the keys."""
    connection = _connect(address)
    try:
        for key, cells in connection.table(table).scan(columns=[column], batch_size=500, include_timestamp=True):
            value, timestamp = cells[column]
            yield key, timestamp, value
    finally:
        connection.close()


def _connect(address: tuple[str, int]) -> happybase.Connection:
    host, port = address
    return happybase.Connection(host, port, timeout=int(TIMEOUT_S * 1000), transport="buffered", protocol="binary")
