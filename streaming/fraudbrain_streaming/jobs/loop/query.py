"""What the query `loop` reads: events, decisions and labels, from where, and with which checkpoint."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from fraudbrain_shared.records import STEP_HEADER
from fraudbrain_streaming.jobs.loop.offsets import Offsets
from fraudbrain_streaming.kafka import TopicLog

_VERSION = "1"  # raised with a change after which an old checkpoint must not be continued
STEP = f"cast(get(filter(headers, header -> header.key = '{STEP_HEADER}'), 0).value as string) as step"


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
