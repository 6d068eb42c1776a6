"""A control topic as it is and as it grows."""

import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from fraudbrain_realtime.kafka.failure import ANSWER_TIMEOUT_S, BrokerFailed


class TopicTail:
    """A compacted topic with one partition, read from its beginning and then as it grows."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "fraudbrain-controls",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "log_level": 3,
            }
        )
        self._consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])

    def read_to_end(self, timeout_s: float = ANSWER_TIMEOUT_S) -> list[tuple[bytes | None, bytes | None]]:
        """All records up to the end. Raises BrokerFailed if the end is not reached in time."""
        deadline = time.monotonic() + timeout_s
        found = []
        while time.monotonic() < deadline:
            record = self._consumer.poll(0.2)
            if record is None:
                continue
            error = record.error()
            if error is None:
                found.append((record.key(), record.value()))
            elif error.code() == KafkaError._PARTITION_EOF:
                return found
        raise BrokerFailed(f"the end of {self._topic} was not reached within {timeout_s:.0f} s: does the topic exist?")

    def read_new(self) -> list[tuple[bytes | None, bytes | None]]:
        """What has come since, without waiting."""
        return [(record.key(), record.value()) for record in self._consumer.consume(100, 0) if record.error() is None]

    def close(self) -> None:
        """Ends the reading."""
        self._consumer.close()
