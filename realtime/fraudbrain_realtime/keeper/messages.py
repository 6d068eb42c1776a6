"""What a worker and its keeper say to each other: length-prefixed msgpack."""

from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

LENGTH_BYTES: Final = 4


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


class Ready(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """The process has started and takes requests."""


class Done(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """What came of a request."""

    ticket: int
    is_done: bool


class Found(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Some rows that were to be read."""

    ticket: int
    rows: dict[str, bytes]


Request: TypeAlias = Save | Scan | Load | Answer
Reply: TypeAlias = Ready | Done | Found

_encoder = msgspec.msgpack.Encoder()
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode


def frame(message: Request | Reply) -> bytes:
    """A message as it travels."""
    buffer = bytearray(LENGTH_BYTES)
    _encoder.encode_into(message, buffer, LENGTH_BYTES)
    buffer[:LENGTH_BYTES] = (len(buffer) - LENGTH_BYTES).to_bytes(LENGTH_BYTES, "little")
    return bytes(buffer)


class Frames:
    """Cuts what was received into messages."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, received: bytes) -> Iterator[bytes]:
        """The messages that are whole now."""
        self._received += received
        start = 0
        while (body := start + LENGTH_BYTES) <= len(self._received):
            end = body + int.from_bytes(self._received[start:body], "little")
            if end > len(self._received):
                break
            yield bytes(self._received[body:end])
            start = end
        del self._received[:start]
