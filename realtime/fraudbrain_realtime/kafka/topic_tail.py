"""The control topics as they are and as they grow."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message as KafkaMessage, TopicPartition

from fraudbrain_realtime.kafka.connection_log import ConnectionLog
from fraudbrain_realtime.kafka.failure import ANSWER_TIMEOUT_S, BrokerFailed
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.topics import Names

_MOST_AT_ONCE: Final = 1_000
_STREAMED: Final = "context"
"""The one topic that may hold a million records: it is handed on as it is read, once all others are known."""

log = logging.getLogger(__name__)


class TopicTail:
    """Compacted topics with one partition each, read from their beginning and then as they grow.

    Once they were read to their ends nothing here waits for the broker or fails with it: it goes on when it answers.
    """

    def __init__(self, bootstrap: str, names: Names, topics: Sequence[str]) -> None:
        self._short = {names.topic(topic): topic for topic in topics}
        self._answered = time.monotonic()
        self._told: set[str] = set()
        self._decode_statistics = msgspec.json.Decoder(_Statistics).decode
        self._connections = ConnectionLog("reader of controls")
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "fraudbrain-controls",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",  # a topic made anew is read anew
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "socket.timeout.ms": 10_000,
                "reconnect.backoff.max.ms": 1_000,
                "topic.metadata.refresh.interval.ms": 5_000,
                "topic.metadata.propagation.max.ms": 10_000,  # until a topic that is gone counts as gone
                **self._connections.settings(),
                "stats_cb": self._on_statistics,
            }
        )
        self._consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in self._short])

    def read_to_end(self, timeout_s: float = ANSWER_TIMEOUT_S) -> Iterator[list[ControlRecord]]:
        """All records up to the ends: those of most topics together, then those of the largest bit by bit.

        Raises BrokerFailed if no record comes and no end is reached for so long.
        """
        streamed = [TopicPartition(topic, 0) for topic, short in self._short.items() if short == _STREAMED]
        self._consumer.pause(streamed)
        others = set(self._short) - {place.topic for place in streamed}
        yield [record for records in self._read(others, timeout_s) for record in records]
        self._consumer.resume(streamed)
        yield from self._read({place.topic for place in streamed}, timeout_s)
        self._answered = time.monotonic()

    def read_new(self, wait_s: float = 0.0) -> list[ControlRecord]:
        """What has come since; waits so long for the first."""
        return [
            record for message in self._consumer.consume(_MOST_AT_ONCE, wait_s) for record in self._records(message)
        ]

    def go_on_from(self, offsets: Mapping[str, int], age_ms: int) -> None:
        """Gives up reading to the end: goes on from these offsets, which were the ends so long ago, once it can."""
        self._answered = time.monotonic() - age_ms / 1_000
        self._consumer.assign(
            [TopicPartition(topic, 0, offsets.get(short, OFFSET_BEGINNING)) for topic, short in self._short.items()]
        )

    def age_ms(self) -> int:
        """How long ago all topics last answered."""
        return int((time.monotonic() - self._answered) * 1_000)

    def close(self) -> None:
        """Ends the reading."""
        self._consumer.close()

    def _read(self, unfinished: set[str], timeout_s: float) -> Iterator[list[ControlRecord]]:
        deadline = time.monotonic() + timeout_s
        while unfinished:
            messages = self._consumer.consume(_MOST_AT_ONCE, 0.1)
            ended = {message.topic() or "" for message in messages if _is_end(message)}
            records = [record for message in messages for record in self._records(message)]
            if records or ended & unfinished:
                deadline = time.monotonic() + timeout_s
            elif time.monotonic() > deadline:
                late = ", ".join(sorted(unfinished))
                raise BrokerFailed(f"Not read to the end within {timeout_s:.0f} s: {late}. Do these topics exist?")
            unfinished = unfinished - ended
            if records:
                yield records

    def _records(self, message: KafkaMessage) -> list[ControlRecord]:
        topic, offset, error = message.topic(), message.offset(), message.error()
        if error is not None:
            self._tell(topic or "", error)
        if error is not None or topic is None or offset is None:
            return []
        return [
            ControlRecord(self._short[topic], offset, message.key() or b"", message.value(), message.timestamp()[1])
        ]

    def _tell(self, topic: str, error: KafkaError) -> None:
        """Each kind of trouble once: the client repeats it, and `age_ms` says how long it lasts."""
        said = f"{topic}: {error.str()}"
        if error.code() != KafkaError._PARTITION_EOF and said not in self._told:
            self._told.add(said)
            log.warning("%s", said)

    def _on_statistics(self, text: str) -> None:
        """All topics have answered when the brokers that lead them last did: a fetch is always on its way there."""
        self._connections.on_statistics(text)
        try:
            found = self._decode_statistics(text)
        except msgspec.MsgspecError:  # then the age grows, which is told
            return
        brokers = (each for each in found.brokers.values() if each.nodeid >= 0 and each.state == "UP")
        idle_us = {each.nodeid: each.rxidle for each in brokers}
        asked = [found.topics.get(name, _NO_TOPIC).partitions.get("0", _NO_PARTITION).broker for name in self._short]
        idle = [idle_us.get(broker, -1) for broker in asked]
        if min(idle) >= 0:
            self._answered = max(self._answered, time.monotonic() - max(idle) / 1e6)


class _Broker(msgspec.Struct):
    nodeid: int
    state: str
    rxidle: int = -1


class _Partition(msgspec.Struct, frozen=True):
    broker: int


class _Topic(msgspec.Struct, frozen=True):
    partitions: dict[str, _Partition] = {}


_NO_PARTITION: Final = _Partition(-1)
_NO_TOPIC: Final = _Topic()


class _Statistics(msgspec.Struct):
    """Of what the client says of itself: which broker is asked for a topic, and for how long it has said nothing."""

    brokers: dict[str, _Broker] = {}
    topics: dict[str, _Topic] = {}


def _is_end(message: KafkaMessage) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF
