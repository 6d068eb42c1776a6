"""Events that cannot be decided: put aside whole, with the cause beside them."""

from fraudbrain_realtime.ports import Headers, Message
from fraudbrain_shared.admission import MAX_EVENT_BYTES, Rejected
from fraudbrain_shared.records import DeadLetter, Reason

KEPT_OF_OVERSIZE = 1024


def dead_letter(message: Message, why: Rejected, *, topic: str, worker: str, build: str) -> tuple[bytes, Headers]:
    """The value and headers of the dead letter of a message. The value is the original's bytes,
    or of an oversize one its first 1 KiB."""
    letter = DeadLetter(
        reason=why.reason,
        detail=why.detail,
        topic=topic,
        partition=message.partition,
        offset=message.offset,
        append_time=message.append_time,
        worker=worker,
        build=build,
    )
    value = message.value or b""
    if why.reason is Reason.OVERSIZE and len(value) > MAX_EVENT_BYTES:
        value = value[:KEPT_OF_OVERSIZE]
    return value, letter.headers()
