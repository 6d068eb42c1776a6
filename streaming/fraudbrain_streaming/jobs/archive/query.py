"""What the query `archive` reads: the topics with history, from where, and with which checkpoint."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from fraudbrain_streaming.jobs.archive.lake_table import LakeTable
from fraudbrain_streaming.kafka import TopicLog

# Headers are needed of dead letters only and cost as much as all the rest.
HEADERS = "if(topic like '%.dead-letters', headers, null) as headers"
_VERSION = "1"  # raised with a change after which an old checkpoint must not be continued


class LogBroken(Exception):
    """What the lake needs next is not in the topic: it was deleted before it was archived, or never written."""


def next_offsets(table: LakeTable, log: TopicLog) -> dict[int, int]:
    """Where reading goes on, by partition: after what the table holds, else where the topic begins.

    Raises `LogBroken` where the topic no longer, or not yet, has what comes next.
    """
    return {partition: _next_offset(table, partition, log) for partition in log.begins}


def _next_offset(table: LakeTable, partition: int, log: TopicLog) -> int:
    begin, end = log.begins[partition], log.ends[partition]
    following = table.next_offset(partition)
    if following is None:
        return begin
    place = f"{table.topic} partition {partition}"
    if following < begin:
        raise LogBroken(
            f"{place}: offsets {following} to {begin - 1} were deleted by the topic's retention before they were "
            "archived. They are lost to the lake. To go on without them, archive into another lake folder."
        )
    if following > end:
        raise LogBroken(
            f"{place} ends at offset {end}, but the lake holds records up to {following - 1}: the broker has lost "
            "records, or this is another broker. Check --bootstrap and --lake."
        )
    return following


def cause(failure: str) -> str:
    """One line for an operator about what Spark said when the query failed."""
    if "DATA_LOSS" in failure or "may have been lost" in failure:
        return (
            "records were deleted, by retention or with their topic, before they were archived; they are lost to the "
            "lake. At the next start it is said which."
        )
    return failure.splitlines()[0][:200] if "BatchFailed" not in failure else "a batch could not be filed; see above"


def checkpoint(folder: Path, tables: Mapping[str, LakeTable]) -> Path:
    """The query's checkpoint. Its name says what it reads and where to: another table, another checkpoint."""
    definition = [_VERSION, *sorted((topic, table.id) for topic, table in tables.items())]
    return folder / f"archive-{hashlib.sha256(json.dumps(definition).encode()).hexdigest()[:16]}"
