"""What the tiers say of themselves on `progress`."""

import time
from typing import Final, Self

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_shared.records import Progress

Told = tuple[str, Progress, int]
"""Key, record and append time (UTC ms)."""

_READ_S: Final = 30.0


class ProgressReader:
    """Follows the topic from its beginning; a context manager, since it holds a connection."""

    def __init__(self, deployment: Deployment) -> None:
        self._topic = deployment.names.topic("progress")
        self._bootstrap = deployment.stack.kafka_bootstrap
        begins = kafka.begin_offsets(self._bootstrap, self._topic)
        self._consumer = kafka.consumer_from(self._bootstrap, {self._topic: begins})
        self._next = dict(begins)
        self._decode = msgspec.json.Decoder(Progress).decode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def read_to_end(self) -> list[Told]:
        """What has come up to where the topic ends at the call. Raises TimeoutError."""
        ends = kafka.end_offsets(self._bootstrap, self._topic)
        deadline = time.monotonic() + _READ_S
        found: list[Told] = []
        while any(self._next[number] < end for number, end in ends.items()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._topic} was not read to its end within {_READ_S:.0f} s")
            found += self.poll(0.1)
        return found

    def poll(self, timeout_s: float) -> list[Told]:
        """What has come. Waits up to `timeout_s` for the first.

        The goals and ends of replayed steps stand on the same topic and are left out.
        """
        found = []
        for message in self._consumer.consume(500, timeout_s):
            if (trouble := kafka.problem(message)) is not None:
                raise RuntimeError(f"cannot read {trouble}")
            self._advance(message)
            key, value = message.key(), message.value()
            if message.error() is None and key and value and not key.startswith((b"step|", b"goal|")):
                found.append((key.decode(), self._decode(value), message.timestamp()[1]))
        return found

    def _advance(self, message: kafka.Message) -> None:
        number, at = message.partition(), message.offset()
        if number is not None and at is not None:
            if message.error() is None:
                self._next[number] = at + 1
            elif kafka.is_end_of_partition(message):
                self._next[number] = at
