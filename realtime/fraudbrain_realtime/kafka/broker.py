"""The log as a port of the loop: events in, decisions and dead letters out."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message as KafkaMessage,
    Producer,
    TopicPartition,
)

from fraudbrain_realtime.kafka.connection_log import ConnectionLog
from fraudbrain_realtime.kafka.event import event_of
from fraudbrain_realtime.kafka.failure import ANSWER_TIMEOUT_S, BrokerFailed
from fraudbrain_realtime.kafka.log_reader import LogReader
from fraudbrain_realtime.ports import Headers, Message, Ownership
from fraudbrain_shared.topics import LETTER_BYTES, TOPICS, Names

log = logging.getLogger(__name__)

PRODUCE_TIMEOUT_S = 30.0
_ANY_PARTITION = -1  # the client's word for the one that the key belongs to

# Why each differs from the client's default: an event must be seen within milliseconds, a dead worker's
# partitions move within seconds, and no offset is ever chosen or committed behind our back.
CONSUMER = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "check.crcs": True,
    "partition.assignment.strategy": "cooperative-sticky",
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 500,
    "max.poll.interval.ms": 30_000,
    "fetch.wait.max.ms": 50,
    "fetch.queue.backoff.ms": 5,
    "reconnect.backoff.max.ms": 1_000,
    "queued.max.messages.kbytes": 32_768,
}
PRODUCER = {
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 1,
    "message.timeout.ms": 300_000,  # the longest absence of the broker that is ridden out
    "reconnect.backoff.max.ms": 1_000,
    "queue.buffering.max.messages": 200_000,
    "message.max.bytes": LETTER_BYTES,  # a dead letter holds a whole event, and why
}


class KafkaBroker:
    """Events in, decisions and dead letters out, for one worker of one group."""

    def __init__(
        self,
        *,
        bootstrap: str,
        names: Names,
        group: str,
        epoch: int,
        owner: Callable[[], Ownership],
        batch_limit: int,
        in_flight: int,
    ) -> None:
        self._topics = {topic.name: names.topic(topic.name) for topic in TOPICS}
        self._epoch = str(epoch)
        self._owner = owner
        self._batch_limit = batch_limit
        self._in_flight = in_flight
        self._failure: BrokerFailed | None = None
        self._paused = False
        self._given_up: set[int | None] = set()
        self._again: LogReader | None = None
        self._bootstrap = bootstrap
        self._commits: dict[int, Callable[[Mapping[int, int] | None], None]] = {}
        self._events = names.topic("events")
        self._producer = Producer({"bootstrap.servers": bootstrap, **PRODUCER, **ConnectionLog("producer").settings()})
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": names.group(group),
                "on_commit": self._on_commit,
                **CONSUMER,
                **ConnectionLog("consumer").settings(),
            }
        )
        self._consumer.subscribe(
            [self._events], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def poll(self, wait_s: float, *, take: bool = True) -> Sequence[Message]:
        self._pause_or_resume(take)
        first = self._consumer.poll(wait_s)
        self._given_up.clear()
        records = [] if first is None else self._consumer.consume(self._batch_limit - 1, timeout=0)
        if first is not None and first.partition() not in self._given_up:
            records.insert(0, first)  # else it belongs to an assignment before: ours may begin at an earlier offset
        self._producer.poll(0)
        if self._failure is not None:
            raise self._failure
        polled_at = int(time.time() * 1000)
        return [event_of(record, polled_at) for record in records if self._is_event(record)]

    def produce(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        partition: int | None,
        acked: Callable[[], None],
    ) -> None:
        send = partial(
            self._producer.produce,
            self._topics[topic],
            value,
            key,
            _ANY_PARTITION if partition is None else partition,
            on_delivery=partial(self._delivered, topic, acked),
            headers=[*headers],
        )
        try:
            send()
        except BufferError:
            self._send_patiently(topic, send)

    def _delivered(self, topic: str, acked: Callable[[], None], error: KafkaError | None, _: KafkaMessage) -> None:
        if error is None:
            acked()
        else:
            self._failure = BrokerFailed(f"a record for {topic} could not be delivered: {error.str()}")

    def _send_patiently(self, topic: str, send: Callable[[], None]) -> None:
        deadline = time.monotonic() + PRODUCE_TIMEOUT_S
        while True:
            self._producer.poll(0.1)
            try:
                return send()
            except BufferError:
                if time.monotonic() > deadline:
                    raise BrokerFailed(f"no room to send to {topic} for {PRODUCE_TIMEOUT_S:.0f} s") from None

    def drain(self, timeout_s: float) -> None:
        self._producer.flush(timeout_s)

    def commit(self, offsets: Mapping[int, int], done: Callable[[Mapping[int, int] | None], None]) -> None:
        for partition in offsets:
            self._commits[partition] = done
        places = [TopicPartition(self._events, partition, offset, self._epoch) for partition, offset in offsets.items()]
        try:
            self._consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as error:
            log.warning("commit not sent: %s", error.args[0].str())
            self._on_commit(error.args[0], places)

    def read_again(self, partition: int, offset: int, end: int) -> Sequence[Message]:
        if self._again is None:  # only a worker whose store was away needs it
            self._again = LogReader(self._bootstrap, self._events)
        return self._again.read(partition, offset, end)

    @property
    def unacknowledged(self) -> int:
        """Records, and requests about them, that the client still has to see to."""
        return len(self._producer)

    def ends(self) -> dict[int, int]:
        """The end of each partition owned, as the broker told with the last events; none is asked for."""
        ends = {}
        for place in self._consumer.assignment():
            _, end = self._consumer.get_watermark_offsets(place, cached=True)
            if end >= 0:
                ends[place.partition] = end
        return ends

    def close(self) -> None:
        """Leaves the group, so that others take over at once."""
        self._consumer.close()
        if self._again is not None:
            self._again.close()
        self._producer.flush(1.0)

    def _pause_or_resume(self, take: bool) -> None:
        """Takes no more events while too many decisions are on their way, but goes on polling: a
        consumer that does not poll is put out of its group."""
        full = not take or len(self._producer) > self._in_flight
        if full != self._paused:
            (self._consumer.pause if full else self._consumer.resume)(self._consumer.assignment())
            self._paused = full

    def _is_event(self, record: KafkaMessage) -> bool:
        error = record.error()
        if error is None:
            return True
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise BrokerFailed(
                f"{self._events}/{record.partition()}: the committed offset is no longer in the log: events were "
                "deleted before they were decided. Restore the topic, or reset the group's offsets on purpose"
            )
        if error.fatal() or not (error.retriable() or error.code() in _PASSING):
            raise BrokerFailed(f"cannot read {self._events}: {error.str()}")
        return False

    # Callbacks of the client, which come during poll, drain and close

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        if not partitions:
            return
        try:
            starts = self._starts(partitions)
        except (KafkaException, BrokerFailed) as error:
            self._failure = BrokerFailed(f"cannot find where to start: {error}")
            starts = {}
        places = [TopicPartition(self._events, number, start) for number, start in starts.items()]
        self._consumer.incremental_assign(places)
        self._paused = False
        self._owner().assigned(starts)

    def _starts(self, partitions: list[TopicPartition]) -> dict[int, int]:
        """Where to go on: after what the group committed in this epoch, or, where it never did, at the log's beginning.

        What was committed in another epoch says nothing of the profiles of this one.
        """
        starts = {}
        for place in self._consumer.committed(partitions, timeout=ANSWER_TIMEOUT_S):
            if place.error is not None:
                raise BrokerFailed(place.error.str())
            if place.offset >= 0 and place.metadata == self._epoch:
                starts[place.partition] = place.offset
            else:
                low, _ = self._consumer.get_watermark_offsets(place, timeout=ANSWER_TIMEOUT_S)
                starts[place.partition] = low
        return starts

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        if partitions:
            self._owner().revoked([place.partition for place in partitions])
            self._given_up.update(place.partition for place in partitions)
            self._consumer.incremental_unassign(partitions)

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        if partitions:
            self._owner().lost([place.partition for place in partitions])
            self._given_up.update(place.partition for place in partitions)
            self._consumer.incremental_unassign(partitions)

    def _on_commit(self, error: KafkaError | None, places: list[TopicPartition]) -> None:
        for place in places:
            done = self._commits.pop(place.partition, None)
            failed = error is not None or place.error is not None
            if done is not None:
                done(None if failed else {place.partition: place.offset})


_PASSING = {
    KafkaError._PARTITION_EOF,
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._MAX_POLL_EXCEEDED,
}
