"""A record of the events topic as the loop takes it."""

from typing import Any

from confluent_kafka import Message as KafkaMessage

from fraudbrain_realtime.kafka.failure import BrokerFailed
from fraudbrain_realtime.ports import Headers, Message
from fraudbrain_shared.records import CLOCK_HEADER, REPLAY_HEADER, STEP_HEADER


def event_of(record: KafkaMessage, polled_at: int = 0) -> Message:
    """The event in a fetched record, which was handed out at that time."""
    partition, offset = record.partition(), record.offset()
    if partition is None or offset is None:  # the client's types allow it, a fetched record never does it
        raise BrokerFailed("a record without its place in the log")
    append_time = record.timestamp()[1]
    headers = _headers(record)
    if not headers:
        return Message(partition, offset, append_time, record.key(), record.value(), polled_at=polled_at)
    found: dict[str, Any] = dict(headers)
    step, clock = _step(found)
    is_replayed = bool(step) or REPLAY_HEADER in found
    key, value = record.key(), record.value()
    return Message(partition, offset, append_time, key, value, step, clock, is_replayed, headers, polled_at)


def _headers(record: KafkaMessage) -> Headers:
    """The headers in the order in which they came; none where a name is not UTF-8: the client cannot read it, and one
    such record must not end the worker."""
    try:
        found: Any = record.headers()
    except SystemError:
        return ()
    return found or ()


def _step(headers: dict[str, Any]) -> tuple[str, int | None]:
    """The step that a replay's headers name; headers that are none of ours say nothing."""
    step, clock = headers.get(STEP_HEADER), headers.get(CLOCK_HEADER)
    try:
        return (step.decode() if step else ""), (int(clock) if clock else None)
    except (UnicodeDecodeError, ValueError):
        return "", None
