"""From columns to the bytes that travel: JSON records in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from fraudbrain_deploy.importing.converted import Column
from fraudbrain_shared.records import Event, Label

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Records ready to be sent, with the time at which each is due, UTC milliseconds."""

    due: list[int]
    keys: list[bytes]
    values: list[bytes]

    def __len__(self) -> int:
        return len(self.due)


def event_batches(
    table: pa.Table, subject: str, fields_of: dict[str, tuple[str, ...]], size: int = BATCH
) -> Iterator[Batch]:
    """The events of a table with event_id, type, event_time (UTC ms) and `field.NAME` columns, in its order.

    `fields_of` says which fields each type has; a null one is left out. `size` is of a batch.
    """
    encode = msgspec.json.Encoder().encode
    for part in table.to_batches(max_chunksize=size):
        columns = {name: part.column(name) for name in part.schema.names}
        due = values_of(columns["event_time"])
        kinds = columns["type"].unique().to_pylist()
        records: list[bytes] = [b""] * len(due)
        for kind in kinds:
            rows = _rows_of(columns["type"], kind, alone=len(kinds) == 1)
            names = [name for name in fields_of[kind] if f"field.{name}" in columns]
            held = [columns[f"field.{name}"].take(rows) for name in names]
            full = not any(column.null_count for column in held)
            ids = values_of(columns["event_id"].take(rows))
            times = values_of(columns["event_time"].take(rows))
            fields: Any = zip(*map(values_of, held), strict=True) if held else ((),) * len(ids)
            for row, event_id, event_time, values in zip(rows.tolist(), ids, times, fields, strict=True):
                known = dict(zip(names, values, strict=True))
                if not full:
                    known = {name: value for name, value in known.items() if value is not None}
                records[row] = encode(Event(event_id, kind, event_time, known))
        yield Batch(due, [key.encode() for key in values_of(columns[f"field.{subject}"])], records)


def label_batches(table: pa.Table) -> Iterator[Batch]:
    """The labels of a table with the columns of a label, in its order; keyed by event id."""
    encode = msgspec.json.Encoder().encode
    for part in table.to_batches(max_chunksize=BATCH):
        ids, subjects, fraud, known_at, source = (
            values_of(part.column(name)) for name in ("event_id", "subject", "fraud", "known_at", "source")
        )
        rows = zip(ids, subjects, fraud, known_at, source, strict=True)
        yield Batch(known_at, [event_id.encode() for event_id in ids], [encode(Label(*row)) for row in rows])


def values_of(column: Column) -> list[Any]:
    """Python values. Through numpy, which is several times faster than Arrow's own way, where nothing is null."""
    if column.null_count or pa.types.is_boolean(column.type) or pa.types.is_list(column.type):
        values: list[Any] = column.to_pylist()
        return values
    return list(column.to_numpy(zero_copy_only=False).tolist())


def _rows_of(kinds: Column, kind: str, *, alone: bool) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    if alone:
        return np.arange(len(kinds))
    return np.flatnonzero(np.asarray(kinds.to_numpy(zero_copy_only=False) == kind))
