"""Events that cannot be decided: put aside whole, with the cause beside them."""

from collections.abc import Mapping
from hashlib import sha256

from fraudbrain_realtime.ports import Headers, Message
from fraudbrain_shared.admission import MAX_EVENT_BYTES, Rejected
from fraudbrain_shared.records import DeadLetter, Reason
from fraudbrain_shared.records.dead_letter import PREFIX, History

KEPT_OF_OVERSIZE = 1024


def dead_letter(
    message: Message, why: Rejected, *, topic: str, worker: str, build: str, versions: Mapping[str, str]
) -> tuple[bytes, Headers]:
    """The value and headers of the dead letter of a message. The value is the original's bytes, or of an oversize one
    its first 1 KiB; the headers are the original's, and after them those that tell why.

    `topic` is where the message stood, `versions` are those of the controls that act on it.
    """
    value = message.value or b""
    is_cut = why.reason is Reason.OVERSIZE and len(value) > MAX_EVENT_BYTES
    before = History.of(message.headers)
    letter = DeadLetter(
        reason=why.reason,
        detail=why.detail,
        topic=topic,
        partition=message.partition,
        offset=message.offset,
        append_time=message.append_time,
        worker=worker,
        build=build,
        attempt=before.attempts + 1,
        first_seen=message.append_time if before.first_seen is None else before.first_seen,
        control_versions=dict(versions),
        length=len(value) if is_cut else None,
        sha256=sha256(value).hexdigest() if is_cut else "",
    )
    original = [header for header in message.headers if not header[0].startswith(PREFIX)]
    return value[:KEPT_OF_OVERSIZE] if is_cut else value, [*original, *letter.headers()]
