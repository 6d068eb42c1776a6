"""Dead letters: the closed set of reasons why an event could not be decided, and their headers."""

import enum

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


class DeadLetter(msgspec.Struct, frozen=True):
    """What the headers of a dead letter say; the original key and bytes are the record itself.

    `detail` says which field was wrong and how, and never holds payload: it could be a card number.
    """

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    append_time: int
    worker: str
    build: str

    def headers(self) -> list[tuple[str, bytes]]:
        """The record's headers, each with the prefix `dlq.`."""
        source = f"{self.topic}/{self.partition}/{self.offset}/{self.append_time}"
        return [
            ("dlq.reason", self.reason.encode()),
            ("dlq.detail", self.detail.encode()),
            ("dlq.source", source.encode()),
            ("dlq.worker", self.worker.encode()),
            ("dlq.build", self.build.encode()),
        ]

    @classmethod
    def from_headers(cls, headers: dict[str, bytes]) -> "DeadLetter":
        """The inverse of `headers`. Raises KeyError or ValueError where they are not a dead letter's."""
        topic, partition, offset, append_time = headers["dlq.source"].decode().rsplit("/", 3)
        return cls(
            reason=Reason(headers["dlq.reason"].decode()),
            detail=headers["dlq.detail"].decode(),
            topic=topic,
            partition=int(partition),
            offset=int(offset),
            append_time=int(append_time),
            worker=headers["dlq.worker"].decode(),
            build=headers["dlq.build"].decode(),
        )
