"""The dead letters of a space: which there are, and which of them somebody means."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.records import DeadLetter, Reason
from fraudbrain_shared.records.dead_letter import PREFIX

Headers = tuple[tuple[str, bytes | None], ...]


class Letter(msgspec.Struct, frozen=True):
    """A dead letter as it stands on its topic, at `partition` and `offset`, since `append_ms` (UTC ms).

    `told` is what was said of it; key, value and headers are the original's.
    """

    partition: int
    offset: int
    append_ms: int
    told: DeadLetter
    key: bytes | None
    value: bytes
    headers: Headers = ()

    @property
    def place(self) -> str:
        """What `dead-letters show` is given."""
        return f"{self.partition}/{self.offset}"


class Stray(msgspec.Struct, frozen=True):
    """A record on the topic that is no dead letter: something else than a tier has written there."""

    place: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters are meant. No reasons: all; times are when they were put aside, UTC ms, the first included;
    `version` is the name of rules, model or build."""

    reasons: frozenset[Reason] = frozenset()
    since_ms: int | None = None
    until_ms: int | None = None
    version: str | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether this one is meant."""
        told = letter.told
        return (
            (not self.reasons or told.reason in self.reasons)
            and (self.since_ms is None or letter.append_ms >= self.since_ms)
            and (self.until_ms is None or letter.append_ms < self.until_ms)
            and (self.version is None or self.version in (told.build, *told.control_versions.values()))
        )


def read_letters(deployment: Deployment, selection: Selection) -> Iterator[Letter | Stray]:
    """The letters that are meant, in the order in which they were put aside, and all strays on the way."""
    bootstrap, topic = deployment.stack.kafka_bootstrap, deployment.names.topic("dead-letters")
    since = None if selection.since_ms is None else kafka.offsets_at(bootstrap, topic, selection.since_ms)
    for message in kafka.read_all(bootstrap, topic, since=since):
        found = letter_of(message)
        if isinstance(found, Stray) or selection.takes(found):
            yield found


def read_letter(deployment: Deployment, partition: int, offset: int) -> Letter:
    """The one at this place. Raises UserError where there is none."""
    bootstrap, topic = deployment.stack.kafka_bootstrap, deployment.names.topic("dead-letters")
    if partition in kafka.topic_partitions(bootstrap, topic):
        for message in kafka.read_all(bootstrap, topic, since={partition: offset}, partition=partition):
            found = letter_of(message)
            if message.offset() == offset and isinstance(found, Letter):
                return found
            break
    raise UserError(
        f"There is no dead letter at {partition}/{offset} of {topic}.", "`fraudbrain dead-letters list` shows them."
    )


def letter_of(message: kafka.Message) -> Letter | Stray:
    """The letter that a record of the topic is."""
    headers = kafka.headers_of(message)
    partition, offset = message.partition(), message.offset()
    assert partition is not None  # the client's types allow it, a fetched record never does it
    assert offset is not None
    try:
        told = DeadLetter.from_headers(dict(headers))
    except (KeyError, ValueError):
        return Stray(f"{partition}/{offset}")
    original = tuple(header for header in headers if not header[0].startswith(PREFIX))
    return Letter(partition, offset, message.timestamp()[1], told, message.key(), message.value() or b"", original)
