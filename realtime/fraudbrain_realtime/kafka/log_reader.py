"""Reading events again that were handed out before, beside the group."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message as KafkaMessage, TopicPartition

from fraudbrain_realtime.kafka.connection_log import ConnectionLog
from fraudbrain_realtime.kafka.event import event_of
from fraudbrain_realtime.kafka.failure import BrokerFailed
from fraudbrain_realtime.ports import Message

READ_AT_ONCE: Final = 1_000
WAIT_S: Final = 0.01

_SETTINGS: Final = {
    "group.id": "fraudbrain-again",  # it joins none: partitions are assigned by hand
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    "fetch.wait.max.ms": 50,
    "reconnect.backoff.max.ms": 1_000,
    "queued.max.messages.kbytes": 16_384,
}


class LogReader:
    """One partition at a time, on from where it stopped."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._connections = ConnectionLog("reader of held events")
        self._consumer = Consumer({"bootstrap.servers": bootstrap, **_SETTINGS, **self._connections.logging()})
        self._partition: int | None = None
        self._next = -1
        self._ahead: deque[Message] = deque()

    def read(self, partition: int, offset: int, end: int) -> Sequence[Message]:
        """Events from `offset` up to before `end`, as many as have come. Raises BrokerFailed where they are gone."""
        if (partition, offset) != (self._partition, self._next):
            self._consumer.assign([TopicPartition(self._topic, partition, offset)])
            self._partition = partition
            self._ahead.clear()
        if not self._ahead:
            self._ahead.extend(
                event_of(record) for record in self._consumer.consume(READ_AT_ONCE, WAIT_S) if self._is_event(record)
            )
        if self._ahead:
            self._connections.answered()
        found = []
        while self._ahead and self._ahead[0].offset < end:
            found.append(self._ahead.popleft())
        self._next = found[-1].offset + 1 if found else offset
        return found

    def close(self) -> None:
        """Ends the reading."""
        self._consumer.close()

    def _is_event(self, record: KafkaMessage) -> bool:
        error = record.error()
        if error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise BrokerFailed(f"{self._topic}/{record.partition()}: events that are held are no longer in the log")
        return error is None
