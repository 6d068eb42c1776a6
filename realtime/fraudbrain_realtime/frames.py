"""How messages are told apart on a stream of bytes between a worker and a child of its own."""

from typing import Final

HEADER_BYTES: Final = 4


def framed(message: bytes) -> bytes:
    """A message with its length before it."""
    return len(message).to_bytes(HEADER_BYTES, "big") + message


def take_frame(buffer: bytearray) -> bytes | None:
    """Takes the first message out of what was received, if it is there whole."""
    end = HEADER_BYTES + int.from_bytes(buffer[:HEADER_BYTES], "big")
    if len(buffer) < HEADER_BYTES or len(buffer) < end:
        return None
    message = bytes(buffer[HEADER_BYTES:end])
    del buffer[:end]
    return message
