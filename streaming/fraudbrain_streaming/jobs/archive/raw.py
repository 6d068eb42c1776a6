"""The records of a micro-batch as they come from Kafka, before anybody looks into them."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

HEADERS: Final = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))

RAW: Final = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("append_time", pa.int64()),  # the broker's, UTC milliseconds
        ("key", pa.binary()),
        ("value", pa.binary()),
        ("headers", HEADERS),
    ]
)


def by_topic(batch: pa.Table) -> dict[str, pa.Table]:
    """The batch's records of each topic, in log order."""
    ordered = batch.sort_by([("topic", "ascending"), ("partition", "ascending"), ("offset", "ascending")])
    topics = pc.unique(ordered["topic"]).to_pylist()
    return {topic: ordered.filter(pc.equal(ordered["topic"], topic)) for topic in topics}


def by_partition(records: pa.Table) -> dict[int, pa.Table]:
    """One topic's records of each partition, in the order in which they stand."""
    partitions = pc.unique(records["partition"]).to_pylist()
    return {number: records.filter(pc.equal(records["partition"], number)) for number in partitions}
