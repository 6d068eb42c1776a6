"""The control topics as they are and as they grow."""

import time
from collections.abc import Sequence

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message as KafkaMessage, TopicPartition

from fraudbrain_realtime.kafka.failure import ANSWER_TIMEOUT_S, BrokerFailed
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.topics import Names

_MOST_AT_ONCE = 1_000


class TopicTail:
    """Compacted topics with one partition each, read from their beginning and then as they grow."""

    def __init__(self, bootstrap: str, names: Names, topics: Sequence[str]) -> None:
        self._short = {names.topic(topic): topic for topic in topics}
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "fraudbrain-controls",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "log_level": 3,
            }
        )
        self._consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in self._short])

    def read_to_end(self, timeout_s: float = ANSWER_TIMEOUT_S) -> list[ControlRecord]:
        """All records up to the ends. Raises BrokerFailed if an end is not reached in time."""
        deadline = time.monotonic() + timeout_s
        found: list[ControlRecord] = []
        unfinished = set(self._short)
        while unfinished:
            if time.monotonic() > deadline:
                late = ", ".join(sorted(unfinished))
                raise BrokerFailed(f"not read to the end within {timeout_s:.0f} s: {late}. Do these topics exist?")
            for message in self._consumer.consume(_MOST_AT_ONCE, 0.1):
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    unfinished.discard(message.topic() or "")
                found += self._records(message)
        return found

    def read_new(self, wait_s: float = 0.0) -> list[ControlRecord]:
        """What has come since; waits so long for the first."""
        return [
            record for message in self._consumer.consume(_MOST_AT_ONCE, wait_s) for record in self._records(message)
        ]

    def close(self) -> None:
        """Ends the reading."""
        self._consumer.close()

    def _records(self, message: KafkaMessage) -> list[ControlRecord]:
        topic, offset = message.topic(), message.offset()
        if message.error() is not None or topic is None or offset is None:
            return []
        return [
            ControlRecord(self._short[topic], offset, message.key() or b"", message.value(), message.timestamp()[1])
        ]
