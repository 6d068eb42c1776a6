"""The lake as SQL: its Delta tables, written by the slow tier, as views of DuckDB.

DuckDB reads the Parquet files that a table consists of at the time of opening. Its own Delta
extension is not used: it would have to be downloaded.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

# Views by table, with the columns that tell events apart; dead letters are not always readable events.
_IDENTITIES: Final = {"events": "key, event_id", "decisions": "subject, event_id", "labels": "subject, event_id"}
TABLES: Final = (*_IDENTITIES, "dead-letters")

# The window orders narrow rows only; the wide ones are then looked up by their place in the log.
_EFFECTIVE: Final = """
    SELECT * FROM decisions SEMI JOIN (
        SELECT generation, "partition", "offset" FROM decisions WHERE event_id IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY subject, event_id ORDER BY generation, "offset") = 1
    ) USING (generation, "partition", "offset")
"""


class LakeUnreadable(Exception):
    """There is no such lake, or a table of it uses a feature of Delta that is not read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSummary:
    """What a table holds. Dates and distinct events are of the rows that could be decoded and were admitted."""

    rows: int
    first_date: date | None
    last_date: date | None
    distinct_events: int | None


def open_lake(lake: Path) -> duckdb.DuckDBPyConnection:
    """The lake as it is now: a view for each table, `effective_decisions`, and `-` in names written `_`.

    Raises `LakeUnreadable`.
    """
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in TABLES:
        _add_view(connection, lake / name)
    connection.execute(f"CREATE VIEW effective_decisions AS {_EFFECTIVE}")
    return connection


def effective_decisions(lake: Path) -> duckdb.DuckDBPyRelation:
    """The one decision that counts of each event: the first by (generation, offset in `decisions`)."""
    return open_lake(lake).view("effective_decisions")


def summarize(lake: Path) -> dict[str, TableSummary]:
    """What each table of the lake holds. Raises `LakeUnreadable`."""
    with open_lake(lake) as connection:
        return {name: _summary(connection, name) for name in TABLES}


def _add_view(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    try:
        table = DeltaTable(path)
    except TableNotFoundError:
        raise LakeUnreadable(f"{path} is no table of a lake. The slow tier makes it when it runs.") from None
    if features := table.protocol().reader_features:
        raise LakeUnreadable(f"{path} uses {', '.join(features)} of Delta, which is not read here")
    view = path.name.replace("-", "_")
    if files := table.file_uris():
        # By name: older files lack columns that were added since.
        connection.read_parquet(files, hive_partitioning=True, union_by_name=True).create_view(view)
    else:
        connection.register(view, pa.schema(table.schema().to_arrow()).empty_table())


def _summary(connection: duckdb.DuckDBPyConnection, name: str) -> TableSummary:
    identity = _IDENTITIES.get(name)
    distinct = f"count(DISTINCT ({identity})) FILTER (event_id IS NOT NULL)" if identity else "NULL"
    known = "FILTER (event_id IS NOT NULL)" if identity else ""
    found = connection.execute(
        f'SELECT count(*), min("date") {known}, max("date") {known}, {distinct} FROM {name.replace("-", "_")}'
    ).fetchone()
    assert found is not None
    rows, first, last, events = found
    return TableSummary(rows=rows, first_date=first, last_date=last, distinct_events=events)
