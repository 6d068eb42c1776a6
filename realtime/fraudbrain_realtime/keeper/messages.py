"""What a worker and its keeper say to each other."""

from typing import TypeAlias

import msgspec

from fraudbrain_realtime.metrics import Measured


class Save(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Write these rows of a partition."""

    ticket: int
    partition: int
    rows: dict[str, bytes]
    timestamp: int


class Scan(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Read all rows of a partition."""

    ticket: int
    partition: int


class Load(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Read the rows of these subjects of a partition."""

    ticket: int
    partition: int
    subjects: list[str]


class Answer(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Make these decisions, by key, known to whoever asks for them."""

    decisions: dict[str, bytes]


class Show(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Show this to whoever asks how the worker is."""

    measured: Measured


class Ready(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """The process has started and takes requests; metrics are shown at `metrics_port`, unless it is 0."""

    metrics_port: int = 0


class Done(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """What came of a request."""

    ticket: int
    is_done: bool


class Found(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Some rows that were to be read."""

    ticket: int
    rows: dict[str, bytes]


Request: TypeAlias = Save | Scan | Load | Answer | Show
Reply: TypeAlias = Ready | Done | Found

encode = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode
