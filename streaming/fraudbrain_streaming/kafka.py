"""Kafka beside Spark: where topics begin and end, and the topic on which progress is told."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from confluent_kafka import KafkaError, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from fraudbrain_shared.records import Progress

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
