"""Kafka as deploy uses it: the only module here that knows its client library.

Offsets are always *next offsets to read*, by partition number. Every call has an end: what the broker
does not answer within its timeout raises TimeoutError.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec

from fraudbrain_shared.records import LogTopic
from fraudbrain_shared.topics import TOPICS, Names

__all__ = [
    "TOLD_BY_THE_CLIENT",
    "Consumer",
    "Message",
    "Offsets",
    "Producer",
    "TopicDescription",
    "begin_offsets",
    "committed_offsets",
    "consumer_from",
    "create_topics",
    "delete_group",
    "delete_groups",
    "delete_topics",
    "describe_topics",
    "end_offsets",
    "group_members",
    "headers_of",
    "is_end_of_partition",
    "log_topic",
    "offsets_at",
    "problem",
    "producer",
    "read_all",
    "send",
    "send_all",
    "topic_partitions",
]

Offsets = dict[int, int]

TIMEOUT_S = 30.0
# The client says on standard error whatever its connections meet, down to each refused attempt while
# a broker starts; what matters comes back as an error of the call.
TOLD_BY_THE_CLIENT: dict[str, Any] = {"log_level": 2}
_COORDINATOR_AWAY = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}
_LEADERLESS = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}


def producer(bootstrap: str, *, in_flight: int = 20_000, settings: Mapping[str, Any] | None = None) -> Producer:
    """An idempotent producer that partitions as Java clients do.

    `in_flight` bounds the records it holds unacknowledged: above it `produce` raises BufferError, and the
    caller polls. A record that cannot be delivered within two minutes fails its callback.
    """
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",
            "linger.ms": 2,
            "queue.buffering.max.messages": in_flight,
            "message.timeout.ms": 120_000,
            "message.max.bytes": 8 * 1024 * 1024,
            **TOLD_BY_THE_CLIENT,
            **(settings or {}),
        }
    )


def send(bootstrap: str, topic: str, key: bytes, value: bytes, *, timeout_s: float = TIMEOUT_S) -> tuple[int, int]:
    """Sends one record to a topic of one partition; its offset and append time (UTC ms) once it is acknowledged."""
    told: list[Message] = []
    sender = producer(bootstrap, settings={"message.timeout.ms": int(timeout_s * 1_000)})
    sender.produce(topic, value, key, on_delivery=lambda error, message: None if error else told.append(message))
    sender.flush(timeout_s)
    if not told or (offset := told[0].offset()) is None:
        raise TimeoutError(f"the broker did not take a record of {topic} within {timeout_s:.0f} s")
    return offset, told[0].timestamp()[1]


def send_all(
    bootstrap: str, topic: str, records: Iterable[tuple[bytes, bytes]], *, timeout_s: float = TIMEOUT_S
) -> None:
    """Sends keys with values to a topic and returns when all are acknowledged."""
    failures: list[object] = []
    sender = producer(bootstrap, settings={"message.timeout.ms": int(timeout_s * 1_000)})
    for key, value in records:
        sender.produce(topic, value, key, on_delivery=lambda error, _: failures.append(error) if error else None)
    if left := sender.flush(timeout_s) + len(failures):
        raise TimeoutError(f"the broker did not take {left} records of {topic} within {timeout_s:.0f} s")


def consumer_from(bootstrap: str, offsets: Mapping[str, Offsets], *, max_queue_kib: int = 32 * 1024) -> Consumer:
    """A reader of the given topics from the given offsets, in no group: it commits nothing.

    It also hands out a message at each end of a partition (`is_end_of_partition`). `max_queue_kib`
    bounds what it fetches ahead.
    """
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "fraudbrain-reader",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "check.crcs": True,
            "fetch.wait.max.ms": 50,
            "fetch.queue.backoff.ms": 5,
            "queued.max.messages.kbytes": max_queue_kib,
            **TOLD_BY_THE_CLIENT,
        }
    )
    reader.assign([TopicPartition(topic, number, at) for topic, ats in offsets.items() for number, at in ats.items()])
    return reader


def is_end_of_partition(message: Message) -> bool:
    """Whether this is no record but the news that its partition is read to the end at `offset()`."""
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF


def problem(message: Message) -> str | None:
    """What the client says went wrong in place of this message; None for a record or an end of partition.

    Retriable trouble (a broker away) counts as none: it passes, or the caller's own deadline ends it.
    """
    error = message.error()
    if error is None or error.code() == KafkaError._PARTITION_EOF or error.retriable():
        return None
    if error.code() in {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE}:
        return None
    return f"{message.topic()}/{message.partition()}: {error.str()}"


def headers_of(message: Message) -> tuple[tuple[str, bytes | None], ...]:
    """The headers in their order; none where a name is not UTF-8, which the client cannot read."""
    try:
        found: Any = message.headers()
    except SystemError:
        return ()
    return tuple(found or ())


def topic_partitions(bootstrap: str, topic: str, *, timeout_s: float = TIMEOUT_S) -> list[int]:
    """The partition numbers of a topic; empty where there is no such topic."""
    return _partitions(_admin(bootstrap), topic, timeout_s)


def end_offsets(bootstrap: str, topic: str, *, timeout_s: float = TIMEOUT_S) -> Offsets:
    """Where each partition of the topic ends now. Raises KeyError for a topic that does not exist."""
    return _list_offsets(bootstrap, topic, OffsetSpec.latest(), timeout_s)


def begin_offsets(bootstrap: str, topic: str, *, timeout_s: float = TIMEOUT_S) -> Offsets:
    """The first offset that each partition still holds. Raises KeyError for a topic that does not exist."""
    return _list_offsets(bootstrap, topic, OffsetSpec.earliest(), timeout_s)


def offsets_at(bootstrap: str, topic: str, time_ms: int, *, timeout_s: float = TIMEOUT_S) -> Offsets:
    """The first offset of each partition that was appended at the time (UTC ms) or later; its end if none was."""
    found = _list_offsets(bootstrap, topic, OffsetSpec.for_timestamp(time_ms), timeout_s)
    ends = end_offsets(bootstrap, topic, timeout_s=timeout_s)
    return {number: at if at >= 0 else ends[number] for number, at in found.items()}


def log_topic(bootstrap: str, topic: str, *, timeout_s: float = TIMEOUT_S) -> LogTopic:
    """Which topic stands behind the name now. Raises KeyError where none does."""
    future = _admin(bootstrap).describe_topics(TopicCollection([topic]), request_timeout=timeout_s)[topic]
    try:
        found = _result(future, timeout_s)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise
        raise KeyError(f"there is no topic {topic} at {bootstrap}") from error
    return LogTopic(str(found.topic_id), len(found.partitions))


def group_members(bootstrap: str, group: str, *, timeout_s: float = TIMEOUT_S) -> list[str]:
    """The hosts of the group's members, one for each. One that was killed counts until its session is over."""
    admin = _admin(bootstrap)
    try:
        found = _of_coordinator(
            lambda: admin.describe_consumer_groups([group], request_timeout=timeout_s)[group], timeout_s
        )
    except KafkaException as error:
        if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
            raise
        return []
    return sorted(member.host.lstrip("/") for member in found.members)


def delete_group(bootstrap: str, group: str, *, timeout_s: float = TIMEOUT_S) -> bool:
    """Deletes a group with its commits, unless it has members; whether it is gone."""
    return _group_is_gone(_admin(bootstrap), group, timeout_s)


def committed_offsets(bootstrap: str, group: str, topic: str, *, timeout_s: float = TIMEOUT_S) -> Offsets:
    """What the group has committed, by partition; a partition without commit is absent."""
    request = [ConsumerGroupTopicPartitions(group)]
    admin = _admin(bootstrap)
    try:
        found = _of_coordinator(
            lambda: admin.list_consumer_group_offsets(request, request_timeout=timeout_s)[group], timeout_s
        ).topic_partitions
    except KafkaException as error:
        if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
            return {}
        raise
    return {place.partition: place.offset for place in found if place.topic == topic and place.offset >= 0}


def read_all(
    bootstrap: str,
    topic: str,
    *,
    since: Offsets | None = None,
    partition: int | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Iterator[Message]:
    """The topic's records from `since`, else from its beginning, up to where it ends at the call.

    Of all partitions or of one; in offset order within a partition. `timeout_s` bounds the wait for the *next*
    record; without one TimeoutError names the partitions that did not reach their ends.
    """
    ends = end_offsets(bootstrap, topic, timeout_s=timeout_s)
    begins = begin_offsets(bootstrap, topic, timeout_s=timeout_s)
    starts = {number: max(first, (since or {}).get(number, first)) for number, first in begins.items()}
    wanted = ends if partition is None else {partition: ends[partition]}
    left = {number: end for number, end in wanted.items() if starts[number] < end}
    if left:
        reader = consumer_from(bootstrap, {topic: {number: starts[number] for number in left}})
        yield from _read_to(reader, left, timeout_s)


def create_topics(bootstrap: str, names: Names, *, partitions: int, timeout_s: float = TIMEOUT_S) -> list[str]:
    """Creates whatever of the platform's topics the space lacks and returns their full names.

    Existing topics stay as they are. Returns when the broker lists them all.
    """
    admin = _admin(bootstrap)
    there = set(admin.list_topics(timeout=timeout_s).topics)
    wanted = [
        NewTopic(
            names.topic(topic.name),
            num_partitions=topic.partitions or partitions,
            replication_factor=1,
            config=topic.config(),
        )
        for topic in TOPICS
        if names.topic(topic.name) not in there
    ]
    if wanted:
        for future in admin.create_topics(wanted, request_timeout=timeout_s).values():
            _tolerate(future, KafkaError.TOPIC_ALREADY_EXISTS, timeout_s)
        _wait_until(
            lambda: all(_partitions(admin, new.topic, timeout_s) for new in wanted), "the topics to appear", timeout_s
        )
    return [new.topic for new in wanted]


def delete_topics(bootstrap: str, topics: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> None:
    """Deletes the topics that exist, with their records, and returns when the broker lists them no more."""
    admin = _admin(bootstrap)
    there = set(admin.list_topics(timeout=timeout_s).topics)
    doomed = [topic for topic in topics if topic in there]
    if not doomed:
        return
    for future in admin.delete_topics(doomed, request_timeout=timeout_s).values():
        _tolerate(future, KafkaError.UNKNOWN_TOPIC_OR_PART, timeout_s)
    _wait_until(
        lambda: not any(_partitions(admin, topic, timeout_s) for topic in doomed), "the topics to go", timeout_s
    )


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as the broker has it: how many partitions, and its settings by name."""

    partitions: int
    config: dict[str, str]


def describe_topics(
    bootstrap: str, topics: Sequence[str], *, timeout_s: float = TIMEOUT_S
) -> dict[str, TopicDescription]:
    """How those of the topics that exist are set up, by name."""
    admin = _admin(bootstrap)
    there = admin.list_topics(timeout=timeout_s).topics
    asked = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics if topic in there]
    answers = admin.describe_configs(asked, request_timeout=timeout_s) if asked else {}
    return {
        resource.name: TopicDescription(
            len(there[resource.name].partitions),
            {name: str(entry.value) for name, entry in _result(future, timeout_s).items()},
        )
        for resource, future in answers.items()
    }


def delete_groups(bootstrap: str, prefix: str, *, timeout_s: float = TIMEOUT_S) -> list[str]:
    """Deletes the consumer groups whose name begins with `prefix`, with their commits; returns their names.

    A group whose members were killed is deleted when the broker has given them up, which takes a session.
    Raises TimeoutError if one still has members after `timeout_s`.
    """
    admin = _admin(bootstrap)
    found = _result(admin.list_consumer_groups(request_timeout=timeout_s), timeout_s).valid
    doomed = [group.group_id for group in found if group.group_id.startswith(prefix)]
    for group in doomed:
        _wait_until(partial(_group_is_gone, admin, group, timeout_s), f"group {group} to go", timeout_s)
    return doomed


def _group_is_gone(admin: AdminClient, group: str, timeout_s: float) -> bool:
    try:
        _of_coordinator(lambda: admin.delete_consumer_groups([group], request_timeout=timeout_s)[group], timeout_s)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.NON_EMPTY_GROUP:
            return False
        if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
            raise
    return True


@lru_cache(maxsize=4)
def _admin(bootstrap: str) -> AdminClient:
    """One for all calls: a replay asks several times in each step, and a new one first has to connect."""
    return AdminClient({"bootstrap.servers": bootstrap, **TOLD_BY_THE_CLIENT})


def _partitions(admin: AdminClient, topic: str, timeout_s: float) -> list[int]:
    try:
        found = admin.list_topics(topic, timeout=timeout_s).topics[topic]
    except KafkaException as error:
        raise TimeoutError(f"the broker did not answer within {timeout_s:.0f} s: {error.args[0].str()}") from error
    return [] if found.error is not None else sorted(found.partitions)


def _list_offsets(bootstrap: str, topic: str, spec: OffsetSpec, timeout_s: float) -> Offsets:
    """A partition that has no leader yet, as right after its creation, is asked again until the timeout."""
    admin = _admin(bootstrap)
    numbers = _partitions(admin, topic, timeout_s)
    if not numbers:
        raise KeyError(f"there is no topic {topic} at {bootstrap}")
    asked = {TopicPartition(topic, number): spec for number in numbers}
    deadline = time.monotonic() + timeout_s
    while True:
        answers = admin.list_offsets(asked, request_timeout=timeout_s)
        try:
            return {place.partition: _result(future, timeout_s).offset for place, future in answers.items()}
        except KafkaException as error:
            if error.args[0].code() not in _LEADERLESS or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _read_to(reader: Consumer, left: Offsets, timeout_s: float) -> Iterator[Message]:
    deadline = time.monotonic() + timeout_s
    try:
        while left:
            batch = reader.consume(1_000, timeout=0.05)
            for message in batch:
                number, at = message.partition(), message.offset()
                if (trouble := problem(message)) is not None:
                    raise RuntimeError(f"cannot read {trouble}")
                if number not in left or at is None:
                    continue
                if message.error() is None and at < left[number]:
                    yield message
                if at + (message.error() is None) >= left[number]:
                    del left[number]
            now = time.monotonic()
            if batch:
                deadline = now + timeout_s
            elif now > deadline:
                raise TimeoutError(f"no record within {timeout_s:.0f} s; still to read, by partition: {left}")
    finally:
        reader.close()


def _of_coordinator(ask: "Callable[[], Future[Any]]", timeout_s: float) -> Any:
    """The answer of a group's coordinator. One that is not there yet, as after a broker's start, is asked again."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return _result(ask(), timeout_s)
        except KafkaException as error:
            if error.args[0].code() not in _COORDINATOR_AWAY or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _result(future: "Future[Any]", timeout_s: float) -> Any:
    # The request has its own timeout; the margin is for the thread that hands the answer over.
    return future.result(timeout=timeout_s + 5)


def _tolerate(future: "Future[Any]", code: int, timeout_s: float) -> None:
    try:
        _result(future, timeout_s)
    except KafkaException as error:
        if error.args[0].code() != code:
            raise


def _wait_until(holds: Callable[[], bool], what: str, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:.0f} s for {what}")
        time.sleep(0.05)
