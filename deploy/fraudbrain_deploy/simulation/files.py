"""A simulation on disk: events, labels, the truth for later evaluation, and how it was made."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from fraudbrain_deploy.simulation.identifiers import Strings
from fraudbrain_deploy.simulation.simulated import Simulated

UTC_MS = pa.timestamp("ms", tz="UTC")


def write(simulated: Simulated, folder: Path, *, settings: object, seed: int) -> dict[str, object]:
    """Writes `events`, `labels` and `truth` as Parquet and `simulation.json`, whose content it returns.

    Events stand in the order of (event time, event id), labels in that of (known at, event id).
    """
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(_events(simulated), folder / "events.parquet")
    pq.write_table(_labels(simulated), folder / "labels.parquet")
    pq.write_table(_truth(simulated), folder / "truth.parquet")
    story = {"seed": seed, **_counts(simulated), **simulated.facts, "settings": msgspec.to_builtins(settings)}
    (folder / "simulation.json").write_bytes(msgspec.json.format(msgspec.json.encode(story), indent=2) + b"\n")
    return story


def _events(simulated: Simulated) -> pa.Table:
    rows = simulated.rows
    fields = {name: _column(values) for name, values in rows.fields.items()}
    return pa.table(
        {
            "event_id": _text(rows.event_id),
            "type": pa.repeat(simulated.type, len(rows.event_id)),
            "event_time": pa.array(rows.event_time).cast(UTC_MS),
            **fields,
        }
    )


def _labels(simulated: Simulated) -> pa.Table:
    rows, labels = simulated.rows, simulated.labels
    order = np.lexsort((rows.event_id, labels.known_at))
    subject = rows.fields[simulated.subject]
    return pa.table(
        {
            "event_id": _text(rows.event_id[order]),
            "subject": _column(subject[order]),
            "fraud": pa.array(labels.fraud[order]),
            "known_at": pa.array(labels.known_at[order]).cast(UTC_MS),
            "source": _text(labels.source[order]),
        }
    )


def _truth(simulated: Simulated) -> pa.Table:
    rows = simulated.rows
    (told,) = np.nonzero(rows.habit != b"")
    return pa.table(
        {
            "event_id": _text(rows.event_id[told]),
            "habit": _text(rows.habit[told]),
            "fraud": pa.array(rows.fraud[told]),
        }
    )


def _counts(simulated: Simulated) -> dict[str, object]:
    rows = simulated.rows
    names, counts = np.unique(rows.habit[rows.habit != b""], return_counts=True)
    return {
        "events": len(rows.event_id),
        "fraud": int(rows.fraud.sum()),
        "reported_fraud": int(simulated.labels.fraud.sum()),
        "habits": {name.decode(): int(count) for name, count in zip(names, counts, strict=True)},
    }


def _column(values: Strings | npt.NDArray[np.int64]) -> "pa.Array[Any]":
    return _text(values) if values.dtype.kind == "S" else pa.array(values)


def _text(values: "npt.NDArray[Any]") -> "pa.Array[Any]":
    column: pa.Array[Any] = pa.array(values)
    return column.cast(pa.string())
