"""The query `loop`: events, decisions and labels, read by Spark, given to the loop batch by batch."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fraudbrain_shared.records import STEP_HEADER
from fraudbrain_streaming.jobs.loop.inputs import LOOP_RAW
from fraudbrain_streaming.jobs.loop.offsets import Offsets
from fraudbrain_streaming.kafka import TopicLog

_VERSION = "1"  # raised with a change after which an old checkpoint must not be continued
_STEP = f"cast(get(filter(headers, header -> header.key = '{STEP_HEADER}'), 0).value as string) as step"


class InputBroken(Exception):
    """What the loop folds next is not in its topic: it was deleted before it was folded, or never written."""


def next_offsets(
    applied: Offsets, logs: Mapping[str, TopicLog], topics: Mapping[str, str]
) -> dict[str, dict[int, int]]:
    """Where reading goes on, by full topic name and partition: after what is folded, else where the topic begins.

    Raises `InputBroken` where a topic no longer, or not yet, has what comes next.
    """
    starts: dict[str, dict[int, int]] = {}
    for topic, log in logs.items():
        folded = applied.get(topics[topic], {})
        starts[topic] = {number: folded.get(str(number), begin) for number, begin in log.begins.items()}
        for number, start in starts[topic].items():
            if not log.begins[number] <= start <= log.ends[number]:
                raise InputBroken(
                    f"{topic} partition {number} holds offsets {log.begins[number]} to {log.ends[number] - 1}, but the "
                    f"loop goes on at {start}: records were deleted before they were folded, or this is another broker."
                )
    return starts


def checkpoint(folder: Path, state_id: str, topics: Mapping[str, str]) -> Path:
    """The query's checkpoint: another state, another checkpoint. It may be lost: the state knows what it holds."""
    definition = [_VERSION, state_id, *sorted(topics)]
    return folder / f"loop-{hashlib.sha256(json.dumps(definition).encode()).hexdigest()[:16]}"


def start(
    spark: SparkSession,
    *,
    bootstrap: str,
    starts: Mapping[str, Mapping[int, int]],
    checkpoint: Path,
    records_per_batch: int,
    trigger_ms: int,
    fold: Callable[[int, pa.Table], None],
) -> StreamingQuery:
    """Start reading; `fold` gets each batch on a thread of its own, an exception of it ends the query."""
    records = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", ",".join(sorted(starts)))
        .option("startingOffsets", json.dumps(starts))
        .option("failOnDataLoss", "true")
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", str(records_per_batch))
        .load()
        .selectExpr("topic", "partition", "offset", "unix_millis(timestamp) as append_time", "key", "value", _STEP)
    )

    def foreach(batch: DataFrame, batch_id: int) -> None:
        fold(batch_id, batch.toArrow().cast(LOOP_RAW))

    return (
        records.writeStream.queryName("loop")
        .foreachBatch(foreach)
        .option("checkpointLocation", str(checkpoint))
        .trigger(processingTime=f"{trigger_ms} milliseconds")
        .start()
    )
