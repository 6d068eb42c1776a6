"""Kafka as the offline tier uses it: the only module here that knows its client library."""

import time
from typing import Any, Final, Self

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from fraudbrain_shared.records import Progress
from fraudbrain_shared.topics import MODEL_RECORD_BYTES, Names

_ANSWER_S: Final = 15.0
_SEND_S: Final = 30.0
_POLL_S: Final = 0.5

# The client tells on standard error whatever its connections meet; what matters comes back as an error.
_QUIET: Final[dict[str, Any]] = {"log_level": 2}


class BrokerProblem(Exception):
    """The broker did not answer, or did not take a record."""


class Topics:
    """The topics of one space: publishes records and finds the last one of a key. A context manager."""

    def __init__(self, bootstrap: str, names: Names) -> None:
        self._bootstrap = bootstrap
        self._names = names
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2_random",
                "linger.ms": 0,
                "message.max.bytes": MODEL_RECORD_BYTES,
                "message.timeout.ms": int(_SEND_S * 1000),
                **_QUIET,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.flush(_ANSWER_S)

    def publish(self, topic: str, key: bytes, value: bytes) -> None:
        """Sends a record and waits until the broker has it. Raises BrokerProblem."""
        outcome: list[KafkaError | None] = []
        try:
            self._producer.produce(
                self._names.topic(topic), value, key, on_delivery=lambda error, _: outcome.append(error)
            )
        except KafkaException as error:  # a record that is too large is refused at once
            raise BrokerProblem(f"{topic}: {error.args[0].str()}") from None
        self._producer.flush(_SEND_S + _ANSWER_S)
        if not outcome:
            raise BrokerProblem(f"{topic}: no answer from {self._bootstrap}")
        if outcome[0] is not None:
            raise BrokerProblem(f"{topic}: {outcome[0].str()}")

    def publish_progress(self, progress: Progress) -> None:
        """Tells how far a worker of this tier is, under `tier|worker`. Raises BrokerProblem."""
        self.publish("progress", f"{progress.tier}|{progress.worker}".encode(), msgspec.json.encode(progress))

    def last(self, topic: str, key: bytes) -> bytes | None:
        """The newest record of a key in a topic of one partition, None if there is none or it was deleted.

        Raises BrokerProblem.
        """
        place = TopicPartition(self._names.topic(topic), 0, OFFSET_BEGINNING)
        reader = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": "fraudbrain-offline",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "check.crcs": True,
                **_QUIET,
            }
        )
        try:
            reader.assign([place])
            return self._last(reader, place.topic, key)
        except KafkaException as error:
            raise BrokerProblem(f"{place.topic}: {error.args[0].str()}") from None
        finally:
            reader.close()

    def _last(self, reader: Consumer, topic: str, key: bytes) -> bytes | None:
        newest: bytes | None = None
        deadline = time.monotonic() + _ANSWER_S
        while time.monotonic() < deadline:
            message = reader.poll(_POLL_S)
            if message is None:
                continue
            if (error := message.error()) is None:
                deadline = time.monotonic() + _ANSWER_S  # a large topic takes its time; silence ends the wait
                if message.key() == key:
                    newest = message.value()
            elif error.code() == KafkaError._PARTITION_EOF:
                return newest
            elif not error.retriable() and error.code() not in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
                raise BrokerProblem(f"{topic}: {error.str()}")
        raise BrokerProblem(f"{topic}: no answer from {self._bootstrap} within {_ANSWER_S:.0f} s")
