"""Events on their way to the broker."""

import logging
import re
import threading
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from fraudbrain_client.waiting import Expected
from fraudbrain_shared.topics import Names

log = logging.getLogger(__name__)

_ADDRESS = re.compile(r"[^\s:,]+:\d{1,5}")
_SENT_FOR_MS: Final = 300_000
"""How long an event is tried to be sent: a broker that is away longer loses it."""
_MOST_WAITING: Final = 100_000
_POLL_S: Final = 0.05

QUIET: Final[dict[str, Any]] = {"log_level": 2}
"""The client library tells on standard error whatever its connections meet; what matters comes back as an error."""


def checked_bootstrap(bootstrap: str) -> str:
    """The addresses themselves. Raises ValueError where they are none."""
    if not all(_ADDRESS.fullmatch(each) for each in bootstrap.split(",")):
        raise ValueError(f"bootstrap is one or more of host:port, with commas between them, not {bootstrap!r}")
    return bootstrap


class EventsTopic:
    """Sends events keyed by subject, each once and to the partition that Java clients choose. For many threads."""

    def __init__(self, bootstrap: str, names: Names) -> None:
        self._topic = names.topic("events")
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2_random",
                "linger.ms": 1,
                "queue.buffering.max.messages": _MOST_WAITING,
                "message.timeout.ms": _SENT_FOR_MS,
                "reconnect.backoff.max.ms": 1_000,
                **QUIET,
            }
        )
        self._lost = 0
        self._counting = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fraudbrain-client-events", daemon=True)
        self._thread.start()

    def exists(self, timeout_s: float) -> bool | None:
        """Whether the broker has the topic; None where it did not answer in time."""
        try:
            found = self._producer.list_topics(self._topic, timeout=timeout_s).topics[self._topic]
        except KafkaException:
            return None
        return found.error is None

    def send(self, key: bytes, value: bytes, expected: Expected | None = None) -> bool:
        """Sends an event; `expected` hears what the broker says of it. Whether there was room for it."""
        try:
            self._producer.produce(self._topic, value, key, on_delivery=partial(self._delivered, expected))
        except BufferError:
            self._lose()
            return False
        return True

    def close(self, timeout_s: float) -> int:
        """Waits until all is acknowledged, or the time is over; how many events never were."""
        left = self._producer.flush(timeout_s)
        self._ended.set()
        self._thread.join()
        return self._lost + left

    def _lose(self) -> None:
        with self._counting:  # both request threads and our own come here
            self._lost += 1

    def _run(self) -> None:
        while not self._ended.is_set():
            self._producer.poll(_POLL_S)

    def _delivered(self, expected: Expected | None, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._lose()
            log.warning("an event could not be sent: %s", error.str())
        if expected is None:
            return
        if error is None:
            expected.is_acknowledged = True
        else:
            expected.refused()
