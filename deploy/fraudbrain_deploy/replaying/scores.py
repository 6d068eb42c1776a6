"""The decisions of a replay as one table: the first of each event, in time order, with its latency."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fraudbrain_deploy.importing import EventSource
from fraudbrain_deploy.replaying.reading import DecisionsRead
from fraudbrain_deploy.replaying.report import Latency
from fraudbrain_deploy.replaying.sending import Sent

_IDENTITY = ["subject", "event_id"]


def first_decisions(read: DecisionsRead) -> pa.Table:
    """The first decision of each event. One event's decisions stand in one partition: the file has their order."""
    table = pq.read_table(read.file, read_dictionary=["outcome"])
    table = table.append_column("row", pa.array(np.arange(table.num_rows)))
    first = table.select([*_IDENTITY, "row"]).group_by(_IDENTITY).aggregate([("row", "min")])["row_min"]
    if len(first) < table.num_rows:
        table = table.take(pa.array(np.sort(first.to_numpy())))
    return table.drop_columns(["row"])


def with_latency(decisions: pa.Table, source: EventSource, sent: Sent, rate: float | None) -> pa.Table:
    """The same with `latency_ms`: from when the event was due to be sent to when its decision was read.

    Null at full pace, where nothing was due. An event that the file holds twice counts from the first.
    """
    if rate is None:
        return decisions.append_column("latency_ms", pa.nulls(decisions.num_rows, pa.float64()))
    number = _numbers(decisions, source)
    due_ns = sent.started_ns + np.rint(number * (1e9 / rate)).astype(np.int64)
    latency_ms = (decisions["received_ns"].to_numpy() - due_ns) / 1e6
    return decisions.append_column("latency_ms", pa.array(np.where(number < 0, np.nan, latency_ms), from_pandas=True))


def _numbers(decisions: pa.Table, source: EventSource) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """The place of each decision's event in the order of sending, from 0; −1 for one that was not sent here."""
    order = source.identities()
    order = order.append_column("number", pa.array(np.arange(order.num_rows)))
    order = order.group_by(_IDENTITY).aggregate([("number", "min")])
    asked = decisions.select(_IDENTITY).append_column("row", pa.array(np.arange(decisions.num_rows)))
    found = asked.join(order, _IDENTITY, join_type="inner")
    numbers = np.full(decisions.num_rows, -1, dtype=np.int64)
    numbers[found["row"].to_numpy()] = found["number_min"].to_numpy()
    return numbers


def latency(decisions: pa.Table) -> Latency | None:
    """The distribution of `latency_ms`; None where there is none."""
    values = decisions["latency_ms"].drop_null().to_numpy()
    if not len(values):
        return None
    p50, p99, p99_9, most = (round(float(value), 3) for value in np.quantile(values, [0.5, 0.99, 0.999, 1.0]))
    return Latency(p50=p50, p99=p99, p99_9=p99_9, max=most)


def write(decisions: pa.Table, file: Path) -> None:
    """Writes event_id, subject, event_time, score, outcome, findings and latency_ms, in time order."""
    order = pc.sort_indices(decisions, [("event_time", "ascending"), ("event_id", "ascending")])
    table = decisions.select(["event_id", "subject", "event_time", "score", "outcome", "findings", "latency_ms"]).take(
        order
    )
    times = table["event_time"].cast(pa.timestamp("ms", tz="UTC"))
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.set_column(2, "event_time", times), file)


def outcomes(decisions: pa.Table) -> dict[str, int]:
    """How often each outcome was given."""
    counted = pc.value_counts(decisions["outcome"].cast(pa.string()).combine_chunks()).to_pylist()
    return {str(each["values"]): int(each["counts"]) for each in counted}


def last_received_ns(decisions: pa.Table) -> int:
    """When the last decision was read, monotonic clock; 0 without any."""
    return int(pc.max(decisions["received_ns"]).as_py() or 0)
