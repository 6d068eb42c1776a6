"""From raw records to the columns of a table in the lake: what never fails, whatever the bytes are."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from fraudbrain_shared.admission import MAX_AHEAD_MS

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
_BEFORE_MS: Final = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * 1000

Row = tuple[Any, ...]


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record of a topic. `append_time` is the broker's, UTC milliseconds."""

    key: bytes | None
    value: bytes | None
    append_time: int
    headers: tuple[tuple[str, bytes], ...] = ()


class Undecodable(ValueError):
    """The record is not what its topic promises. Says nothing of its content."""


class Decoder(Protocol):
    """How the records of one topic are read.

    `columns` are those that `row` fills; `time` names the one whose day the record is filed under,
    None for the day on which it was appended. `kept` are columns of the raw record besides the
    usual ones. `row` raises `Undecodable`, `msgspec.DecodeError` or `UnicodeDecodeError`.
    """

    @property
    def columns(self) -> pa.Schema: ...

    @property
    def time(self) -> str | None: ...

    @property
    def kept(self) -> "tuple[pa.Field[Any], ...]": ...

    def row(self, record: Record) -> Row: ...


def table_schema(decoder: Decoder) -> pa.Schema:
    """The columns of the decoder's table in the lake, `date` last."""
    return pa.schema(
        [
            ("partition", pa.int32()),
            ("offset", pa.int64()),
            ("append_time", TIMESTAMP),
            ("key", pa.string()),
            *decoder.columns,
            *decoder.kept,
            ("value", pa.binary()),
            ("date", pa.date32()),
        ]
    )


def decode(raw: pa.Table, decoder: Decoder) -> tuple[pa.Table, int]:
    """The rows of the decoder's table, one per raw record in the same order, and how many are undecodable.

    Those have their bytes and nulls for what could not be read from them.
    """
    rows = [_row(decoder, record) for record in _records(raw)]
    decoded, rows = _table(rows, decoder.columns)
    schema = table_schema(decoder)
    columns = {
        "partition": raw["partition"],
        "offset": raw["offset"],
        "append_time": _timestamps(raw["append_time"]),
        "key": _text(raw["key"]),
        **{name: decoded[name] for name in decoder.columns.names},
        **{field.name: raw[field.name] for field in decoder.kept},
        "value": raw["value"],
        "date": _dates(decoded[decoder.time] if decoder.time else None, raw["append_time"]),
    }
    return pa.table(columns).cast(schema), rows.count(None)


def microseconds(time_ms: int) -> int:
    """A time of our records for a column of type TIMESTAMP. Raises `Undecodable` outside 1970 to 9999."""
    if not 0 <= time_ms < _BEFORE_MS:
        raise Undecodable("a time is not between 1970 and 9999")
    return time_ms * 1000


def _records(raw: pa.Table) -> Iterable[Record]:
    headers: list[Any] = raw["headers"].to_pylist() if raw["headers"].null_count < len(raw) else [None] * len(raw)
    for key, value, append_time, pairs in zip(
        raw["key"].to_pylist(), raw["value"].to_pylist(), raw["append_time"].to_pylist(), headers, strict=True
    ):
        yield Record(key, value, append_time, tuple((pair["key"], pair["value"]) for pair in pairs or ()))


def _row(decoder: Decoder, record: Record) -> Row | None:
    try:
        return decoder.row(record)
    except (Undecodable, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _table(rows: list[Row | None], columns: pa.Schema) -> tuple[pa.Table, list[Row | None]]:
    """The rows as columns, and the rows without those that hold a value which Arrow cannot."""
    try:
        return _filled(rows, columns), rows
    except _UNFIT:
        fit = [row if row is not None and _fits(row, columns) else None for row in rows]
        return _filled(fit, columns), fit


_UNFIT = (pa.ArrowException, OverflowError, UnicodeError)


def _fits(row: Row, columns: pa.Schema) -> bool:
    try:
        _filled([row], columns)
    except _UNFIT:
        return False
    return True


def _filled(rows: list[Row | None], columns: pa.Schema) -> pa.Table:
    if not rows:
        return columns.empty_table()
    nothing: Row = (None,) * len(columns)
    values = zip(*(row or nothing for row in rows), strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(values, columns, strict=True)]
    return pa.table(arrays, schema=columns)


def _timestamps(time_ms: Any) -> Any:
    return time_ms.cast(pa.timestamp("ms", tz="UTC")).cast(TIMESTAMP)


def _dates(times: Any, append_ms: Any) -> Any:
    """The day of `times` where it is one that an honest clock could have sent, else the day of appending.

    A record that claims to be from 2099 must not make a folder for 2099.
    """
    if times is None:
        return _timestamps(append_ms).cast(pa.date32())
    latest = _timestamps(pc.add(append_ms, MAX_AHEAD_MS))
    honest = pc.fill_null(pc.less_equal(times, latest), False)
    return pc.if_else(honest, times, _timestamps(append_ms)).cast(pa.date32())


def _text(keys: Any) -> Any:
    try:
        return keys.cast(pa.string())
    except pa.ArrowInvalid:  # a key that is not UTF-8; its odd bytes become \xNN
        texts = [None if key is None else key.decode("utf-8", "backslashreplace") for key in keys.to_pylist()]
        return pa.array(texts, pa.string())
