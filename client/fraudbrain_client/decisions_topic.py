"""Decisions as they are appended to their topic: for a client without Redis, or whose Redis is away."""

import logging
import threading
import time
from typing import Final

import msgspec
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from fraudbrain_client.events_topic import QUIET
from fraudbrain_client.waiting import Identity, Waiting
from fraudbrain_shared.records import Decision
from fraudbrain_shared.topics import Names

log = logging.getLogger(__name__)

_POLL_S: Final = 0.05
_ANSWER_S: Final = 1.0  # and so long `close` may wait for a broker that is away
_TRY_AGAIN_S: Final = 0.5


class DecisionsTopic:
    """Follows the topic in a thread of its own, for as long as it is wanted, from `back_ms` before that on.

    It reads all decisions of the space, but only those of our own events are decoded.
    """

    def __init__(self, bootstrap: str, names: Names, waiting: Waiting, *, back_ms: int) -> None:
        self._topic = names.topic("decisions")
        self._waiting = waiting
        self._back_ms = back_ms
        self._decode = msgspec.json.Decoder(Decision).decode
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "fraudbrain-client",  # needed, but never joined: it commits nothing
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "latest",
                "fetch.wait.max.ms": 50,
                "reconnect.backoff.max.ms": 1_000,
                **QUIET,
            }
        )
        self._is_wanted = threading.Event()
        self._is_following = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fraudbrain-client-decisions", daemon=True)
        self._thread.start()

    def follow(self) -> None:
        """From now on decisions are heard of here, once the broker has said where to begin."""
        self._is_wanted.set()

    def rest(self) -> None:
        """They need not be."""
        self._is_wanted.clear()

    def wait_until_following(self, timeout_s: float) -> bool:
        """Whether it follows by then."""
        return self._is_following.wait(timeout_s)

    def close(self) -> None:
        """Ends the thread and its connection."""
        self._ended.set()
        self._is_wanted.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            if not self._is_wanted.is_set():
                self._consumer.unassign()
                self._is_following.clear()
                self._is_wanted.wait()
            elif self._is_following.is_set():
                self._read()
            elif self._begin():
                self._is_following.set()
            else:
                self._ended.wait(_TRY_AGAIN_S)

    def _begin(self) -> bool:
        """Goes to where decisions begin that somebody may wait for now; whether the broker said where that is."""
        since_ms = time.time_ns() // 1_000_000 - self._back_ms
        try:
            numbers = self._consumer.list_topics(self._topic, timeout=_ANSWER_S).topics[self._topic].partitions
            asked = [TopicPartition(self._topic, number, since_ms) for number in numbers]
            ends = [self._consumer.get_watermark_offsets(place, timeout=_ANSWER_S)[1] for place in asked]
            places = self._consumer.offsets_for_times(asked, timeout=_ANSWER_S)
        except KafkaException as error:
            log.warning("decisions cannot be followed yet: %s", error.args[0].str())
            return False
        for place, end in zip(places, ends, strict=True):
            if place.offset < 0:  # nothing is as young; what comes from now on is
                place.offset = end
        self._consumer.assign(places)
        return bool(places)

    def _read(self) -> None:
        first = self._consumer.poll(_POLL_S)
        if first is not None:
            for message in [first, *self._consumer.consume(1_000, timeout=0)]:
                self._take(message)

    def _take(self, message: Message) -> None:
        if message.error() is None and self._waiting.is_ours(_identity(message)):
            try:
                self._waiting.came(self._decode(message.value() or b""))
            except msgspec.DecodeError:
                log.warning("what stands at %s/%s is no decision", message.partition(), message.offset())


def _identity(message: Message) -> Identity:
    """Whose decision it is, as key and header say: most are somebody else's, and need not be decoded."""
    key, event_id = message.key(), dict(message.headers() or ()).get("event_id")
    return Identity(_text(key), _text(event_id))


def _text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""
