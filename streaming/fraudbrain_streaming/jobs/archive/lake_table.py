"""One topic's table in the lake, which takes each record once by (partition, offset).

A commit carries, beside its rows, the next offset of every partition they come from, as Delta
application transactions: application id = the partition's number, version = its next offset. The
two cannot come apart, so the table itself knows what it holds, whatever became of checkpoints and
however a repeated micro-batch is cut. (A transaction by batch number, the usual way, protects only
as long as the same checkpoint cuts the same batches.)
"""

import time
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake

from fraudbrain_streaming.jobs.archive.raw import by_partition

# Only the leading columns (partition, offset, append_time) are worth statistics in the table's log;
# further ones would write keys and payloads, card numbers among them, into it.
_SETTINGS: Final[dict[str, str | None]] = {"delta.dataSkippingNumIndexedCols": "3"}
_WRITER: Final = WriterProperties(compression="ZSTD")


class AnotherTopic(Exception):
    """The table was written from a topic that no longer exists; offsets do not continue."""


class LakeTable:
    """The Delta table at `path`, created if missing, written from the topic with this id by one writer."""

    def __init__(self, path: Path, *, topic: str, topic_id: str, schema: pa.Schema) -> None:
        self._table = DeltaTable.create(
            path,
            schema=schema,
            mode="ignore",
            partition_by=["date"],
            name=topic,
            description=_origin(topic, topic_id),
            configuration=_SETTINGS,
        )
        self.schema = schema
        self.topic = topic
        if self._table.metadata().description != _origin(topic, topic_id):
            raise AnotherTopic(
                f"the table {path} was not written from the topic {topic} as it is now (id {topic_id}): the topic was "
                "deleted and made again. Archive into another lake folder, or move the table away."
            )

    @property
    def id(self) -> str:
        """The table's own id: another one after it was removed and made again."""
        return str(self._table.metadata().id)

    def next_offset(self, partition: int) -> int | None:
        """The offset after the last that the table holds of a partition; None if it holds none."""
        return self._table.transaction_version(str(partition))

    def missing(self, records: pa.Table) -> pa.Table:
        """Those of some raw records of the topic that the table does not hold yet, in the same order."""
        self._table.update_incremental()
        fresh = [
            rows.filter(pc.greater_equal(rows["offset"], self.next_offset(number) or 0))
            for number, rows in by_partition(records).items()
        ]
        return pa.concat_tables(fresh) if fresh else records

    def append(self, rows: pa.Table) -> None:
        """Commit rows together with the offsets that they reach. No rows, no commit."""
        if not len(rows):
            return
        now_ms = time.time_ns() // 1_000_000
        reached = rows.group_by("partition").aggregate([("offset", "max")]).to_pylist()
        held = [Transaction(str(one["partition"]), one["offset_max"] + 1, now_ms) for one in reached]
        write_deltalake(
            self._table,
            rows,
            mode="append",
            schema_mode="merge",  # a table may be older than a column
            writer_properties=_WRITER,
            commit_properties=CommitProperties(app_transactions=held),
        )


def _origin(topic: str, topic_id: str) -> str:
    return f"{topic} (topic id {topic_id})"
