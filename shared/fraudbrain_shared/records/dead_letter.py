"""Dead letters: the closed set of reasons why an event could not be decided, and their headers."""

import enum
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec


class Reason(enum.StrEnum):
    """Why a record was put aside. Closed: a new one is a change of this contract."""

    OVERSIZE = "oversize"
    FRAMING = "framing"
    SCHEMA = "schema"
    RANGE = "range"
    AUTH = "auth"
    UNKNOWN_TYPE = "unknown_type"
    TOO_NEW = "too_new"
    CONFLICT = "conflict"
    KEY_MISMATCH = "key_mismatch"
    WRONG_PARTITION = "wrong_partition"
    FOLD_ERROR = "fold_error"
    MAPPING = "mapping"
    POISON_CRASH = "poison_crash"


PREFIX: Final = "dlq."
"""How the names of a dead letter's own headers begin. A source's headers must not: they would be taken for ours."""

ATTEMPT_HEADER: Final = "dlq.attempt"
FIRST_SEEN_HEADER: Final = "dlq.first_seen"
REPLAY_OF_HEADER: Final = "replay.of"
"""On an event that an operator sent again: the `dlq.source` of the dead letter that it was."""

_FIGURES: Final = 15


class History(NamedTuple):
    """What an event brings along from earlier dead letters: how many there were, and when the first original of them
    was appended (UTC ms; None where there was none)."""

    attempts: int = 0
    first_seen: int | None = None

    @classmethod
    def of(cls, headers: Iterable[tuple[str, bytes | None]]) -> "History":
        """As an event's headers tell it; whatever stands there that we cannot have written counts as nothing."""
        found = dict(headers)
        attempts, first_seen = _number(found.get(ATTEMPT_HEADER)), _number(found.get(FIRST_SEEN_HEADER))
        return cls() if attempts is None or first_seen is None else cls(attempts, first_seen)

    def headers(self) -> list[tuple[str, bytes | None]]:
        """What is sent along with an event that is replayed."""
        return [(ATTEMPT_HEADER, b"%d" % self.attempts), (FIRST_SEEN_HEADER, b"%d" % (self.first_seen or 0))]


class DeadLetter(msgspec.Struct, frozen=True):
    """What the headers of a dead letter say; the original key and bytes are the record itself.

    `detail` says which field was wrong and how, and never holds payload: it could be a card number.
    `attempt` counts the dead letters of this event, this one included, over all its replays; `first_seen` is when the
    first original was appended. `control_versions` are those that a decision would name. `length` and `sha256` tell
    of an original that was too large to be kept: then the record is only its beginning.
    """

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    append_time: int
    worker: str
    build: str
    attempt: int = 1
    first_seen: int = 0
    control_versions: dict[str, str] = {}
    length: int | None = None
    sha256: str = ""

    @property
    def source(self) -> str:
        """Where the original stands: topic, partition, offset, append time."""
        return f"{self.topic}/{self.partition}/{self.offset}/{self.append_time}"

    def headers(self) -> list[tuple[str, bytes]]:
        """The record's own headers, each with the prefix `dlq.`. They follow the original's."""
        cut = [] if self.length is None else [("dlq.length", b"%d" % self.length), ("dlq.sha256", self.sha256.encode())]
        return [
            ("dlq.reason", self.reason.encode()),
            ("dlq.detail", self.detail.encode()),
            ("dlq.source", self.source.encode()),
            (ATTEMPT_HEADER, b"%d" % self.attempt),
            (FIRST_SEEN_HEADER, b"%d" % self.first_seen),
            ("dlq.worker", self.worker.encode()),
            ("dlq.build", self.build.encode()),
            ("dlq.control_versions", msgspec.json.encode(self.control_versions)),
            *cut,
        ]

    @classmethod
    def from_headers(cls, headers: Mapping[str, bytes | None]) -> "DeadLetter":
        """The inverse of `headers`; the original's may stand among them, and those that are newer than a letter may
        lack. Raises KeyError or ValueError where they are not a dead letter's."""
        told = {name: value for name, value in headers.items() if value is not None}
        topic, partition, offset, append_time = told["dlq.source"].decode().rsplit("/", 3)
        versions = told.get("dlq.control_versions")
        length = told.get("dlq.length")
        return cls(
            reason=Reason(told["dlq.reason"].decode()),
            detail=told["dlq.detail"].decode(),
            topic=topic,
            partition=int(partition),
            offset=int(offset),
            append_time=int(append_time),
            worker=told["dlq.worker"].decode(),
            build=told["dlq.build"].decode(),
            attempt=int(told.get(ATTEMPT_HEADER, b"1")),
            first_seen=int(told.get(FIRST_SEEN_HEADER, append_time)),
            control_versions=msgspec.json.decode(versions, type=dict[str, str]) if versions else {},
            length=None if length is None else int(length),
            sha256=told.get("dlq.sha256", b"").decode(),
        )


def _number(text: bytes | None) -> int | None:
    return int(text) if text and text.isdigit() and len(text) <= _FIGURES else None
