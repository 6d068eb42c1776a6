"""Kafka beside Spark: where topics begin and end, and the topic on which progress is told."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from fraudbrain_shared.records import Progress
from fraudbrain_shared.topics import Names

_LOG = logging.getLogger(__name__)
_TIMEOUT_S: Final = 15.0
_LIMIT: Final[dict[str, Any]] = {"request_timeout": _TIMEOUT_S}

# The client tells on standard error whatever its connections meet; what matters comes back as an error.
_QUIET: Final[dict[str, Any]] = {"log_level": 2}


class BrokerProblem(Exception):
    """The broker did not answer, or a topic is missing."""


@dataclass(frozen=True, slots=True)
class TopicLog:
    """A topic as the broker has it now: its own id, and by partition the first offset held and the next one written."""

    id: str
    begins: dict[int, int]
    ends: dict[int, int]


def topic_logs(bootstrap: str, topics: Sequence[str]) -> dict[str, TopicLog]:
    """The logs of some topics by full name. Raises `BrokerProblem` within a minute."""
    admin = AdminClient({"bootstrap.servers": bootstrap, **_QUIET})
    ask = _Asking(bootstrap)
    described = admin.describe_topics(TopicCollection(list(topics)), request_timeout=_TIMEOUT_S)
    topic = {name: ask.answer(future, f"topic {name}") for name, future in described.items()}
    places = [TopicPartition(name, part.id) for name, found in topic.items() for part in found.partitions]
    begins = ask.offsets(admin.list_offsets(dict.fromkeys(places, OffsetSpec.earliest()), **_LIMIT))
    ends = ask.offsets(admin.list_offsets(dict.fromkeys(places, OffsetSpec.latest()), **_LIMIT))
    return {name: TopicLog(str(found.topic_id), begins[name], ends[name]) for name, found in topic.items()}


class _Asking:
    """Turns the client's futures into answers or into `BrokerProblem`."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def answer(self, future: "Future[Any]", what: str) -> Any:
        try:
            return future.result(_TIMEOUT_S + 5)
        except (KafkaException, TimeoutError) as error:
            cause = error.args[0].str() if error.args and isinstance(error.args[0], KafkaError) else "no answer"
            raise BrokerProblem(f"Kafka at {self._bootstrap}: {what}: {cause}") from None

    def offsets(self, futures: "dict[TopicPartition, Future[Any]]") -> dict[str, dict[int, int]]:
        found: dict[str, dict[int, int]] = {}
        for place, future in futures.items():
            offset: int = self.answer(future, f"offsets of {place.topic}").offset
            found.setdefault(place.topic, {})[place.partition] = offset
        return found


class TopicEnds:
    """Where some topics end now, asked again and again over one connection."""

    def __init__(self, bootstrap: str, partitions: Mapping[str, Iterable[int]]) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap, **_QUIET})
        self._ask = _Asking(bootstrap)
        self._places = [TopicPartition(topic, number) for topic, numbers in partitions.items() for number in numbers]

    def now(self) -> dict[str, dict[int, int]]:
        """By topic and partition the next offset written. Raises `BrokerProblem`."""
        return self._ask.offsets(self._admin.list_offsets(dict.fromkeys(self._places, OffsetSpec.latest()), **_LIMIT))


class Outlet:
    """Publishes records at least once: what `flush` has returned for stands in the log."""

    def __init__(self, bootstrap: str, names: Names) -> None:
        self._names = names
        self._failures: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "message.timeout.ms": 60_000,
                **_QUIET,
            }
        )

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Hand a record over; records of one topic and partition keep their order."""
        while True:
            try:
                self._producer.produce(self._names.topic(topic), value, key, on_delivery=self._note)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until all is acknowledged. Raises `BrokerProblem` if something never was."""
        left = self._producer.flush(90)
        if left or self._failures:
            raise BrokerProblem(f"{left or len(self._failures)} records not published: {' '.join(self._failures[:1])}")

    def _note(self, error: KafkaError | None, _: object) -> None:
        if error is not None:
            self._failures.append(error.str())


class TopicTail:
    """Topics with one partition, read from their beginning and then as they grow: short name, offset, key, value."""

    def __init__(self, bootstrap: str, names: Names, topics: Sequence[str]) -> None:
        self._short = {names.topic(topic): topic for topic in topics}
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "fraudbrain-controls",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 50,
                **_QUIET,
            }
        )
        self._places = [TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in self._short]
        self._consumer.assign(self._places)

    def read_to_end(self, timeout_s: float = 30.0) -> list[tuple[str, int, bytes, bytes | None]]:
        """All that there is now and was not read yet. Raises `BrokerProblem`."""
        deadline = time.monotonic() + timeout_s
        found: list[tuple[str, int, bytes, bytes | None]] = []
        try:
            ends = {place.topic: self._end(place) for place in self._places}
            while not self._has_read(ends):
                if time.monotonic() > deadline:
                    raise BrokerProblem(f"not read to the end in {timeout_s:.0f} s: {', '.join(self._short.values())}")
                found += self.read_new(0.05)
        except KafkaException as error:
            raise BrokerProblem(f"cannot read {', '.join(self._short)}: {error.args[0].str()}") from None
        return found

    def read_new(self, wait_s: float = 0.0) -> list[tuple[str, int, bytes, bytes | None]]:
        """What has come since; waits so long for the first."""
        return [
            (self._short[topic], offset, message.key() or b"", message.value())
            for message in self._consumer.consume(1_000, wait_s)
            if message.error() is None
            and (topic := message.topic()) is not None
            and (offset := message.offset()) is not None
        ]

    def close(self) -> None:
        self._consumer.close()

    def _end(self, place: TopicPartition) -> int:
        low, high = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)
        return int(high) if high > low else 0

    def _has_read(self, ends: Mapping[str, int]) -> bool:
        return all(at.offset >= ends[at.topic] for at in self._consumer.position(self._places) if ends[at.topic])


class ProgressTopic:
    """Publishes one worker's progress. A record that cannot be delivered in 30 s is given up and logged:
    the next one says all of it again."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._encode = msgspec.json.Encoder().encode
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 0,
                "message.timeout.ms": 30_000,
                **_QUIET,
            }
        )

    def publish(self, progress: Progress) -> None:
        """Hand the record over under `tier|worker`; does not wait."""
        self._producer.produce(
            self._topic,
            key=f"{progress.tier}|{progress.worker}".encode(),
            value=self._encode(progress),
            on_delivery=_tell_failure,
        )
        self._producer.poll(0)

    def close(self) -> None:
        """Wait up to 5 s for what is on its way."""
        self._producer.flush(5)


def _tell_failure(error: KafkaError | None, _: object) -> None:
    if error is not None:
        _LOG.warning("progress not published: %s", error.str())
