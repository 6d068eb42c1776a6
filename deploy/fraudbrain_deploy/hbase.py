"""HBase as deploy uses it: the only module here, beside the stack's probes, that knows its client library."""

from collections.abc import Iterator

import happybase

TIMEOUT_S = 60.0  # disabling a table waits for its regions to close


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
