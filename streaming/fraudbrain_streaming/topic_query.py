"""A query over topics: their records, read by Spark, given out batch by batch."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

_COLUMNS = ("topic", "partition", "offset", "unix_millis(timestamp) as append_time", "key", "value")
# After the last record that it wants, Spark asks for the bounds of the partition, on a connection on which the broker
# still holds the fetch of what comes next: with Kafka's 500 ms that is what each partition costs in each batch.
_FETCH_WAIT_MS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicQuery:
    """What is read and how: `starts` are the next offsets by topic and partition, for a new checkpoint only.

    `beside` are further columns, as SQL over Spark's columns of a Kafka source; with those of every query
    they make the batch's `schema`.
    """

    name: str
    bootstrap: str
    starts: Mapping[str, Mapping[int, int]]
    beside: str
    schema: pa.Schema
    checkpoint: Path
    records_per_batch: int
    trigger_ms: int

    def start(self, spark: SparkSession, take: Callable[[int, pa.Table], None]) -> StreamingQuery:
        """Starts reading; `take` gets each batch on a thread of its own, an exception of it ends the query.

        So do records that were deleted before they were read.
        """

        def foreach(batch: DataFrame, batch_id: int) -> None:
            take(batch_id, batch.toArrow().cast(self.schema))

        return (
            self._records(spark)
            .writeStream.queryName(self.name)
            .foreachBatch(foreach)
            .option("checkpointLocation", str(self.checkpoint))
            .trigger(processingTime=f"{self.trigger_ms} milliseconds")
            .start()
        )

    def _records(self, spark: SparkSession) -> DataFrame:
        return (
            spark.readStream.format("kafka")
            .option("kafka.bootstrap.servers", self.bootstrap)
            .option("kafka.fetch.max.wait.ms", str(_FETCH_WAIT_MS))
            .option("subscribe", ",".join(sorted(self.starts)))
            .option("startingOffsets", json.dumps(self.starts))
            .option("failOnDataLoss", "true")
            .option("includeHeaders", "true")
            .option("maxOffsetsPerTrigger", str(self.records_per_batch))
            .load()
            .selectExpr(*_COLUMNS, self.beside)
        )
