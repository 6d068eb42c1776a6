"""What the tiers say of themselves on `progress`."""

from typing import Self

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_shared.records import Progress


class ProgressReader:
    """Follows the topic from its beginning; a context manager, since it holds a connection."""

    def __init__(self, deployment: Deployment) -> None:
        topic = deployment.names.topic("progress")
        bootstrap = deployment.stack.kafka_bootstrap
        self._consumer = kafka.consumer_from(bootstrap, {topic: kafka.begin_offsets(bootstrap, topic)})
        self._decode = msgspec.json.Decoder(Progress).decode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def poll(self, timeout_s: float) -> list[tuple[str, Progress, int]]:
        """What has come: key, record and append time (UTC ms). Waits up to `timeout_s` for the first.

        The goals and ends of replayed steps stand on the same topic and are left out.
        """
        found = []
        for message in self._consumer.consume(500, timeout_s):
            if (trouble := kafka.problem(message)) is not None:
                raise RuntimeError(f"cannot read {trouble}")
            key, value = message.key(), message.value()
            if message.error() is None and key and value and not key.startswith((b"step|", b"goal|")):
                found.append((key.decode(), self._decode(value), message.timestamp()[1]))
        return found
