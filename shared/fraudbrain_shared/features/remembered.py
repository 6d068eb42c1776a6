"""The newest events of a subject by hashes of id and payload, to know a duplicate by.

Packed as 22 bytes for each, the oldest in fold order first: id, payload, event time in ms.
"""

from hashlib import blake2b
from struct import Struct
from typing import Final

from fraudbrain_shared.features.profile import Profile
from fraudbrain_shared.scenario.profile_state import REMEMBERED_BYTES, REMEMBERED_EVENTS

REMEMBERED_MS: Final = 24 * 60 * 60 * 1000

_EVENT: Final = Struct(">qqHI")  # the time in two parts
_ID: Final = Struct(">q")


def hash64(data: bytes) -> int:
    """A signed 64-bit hash that is the same in every process."""
    return int.from_bytes(blake2b(data, digest_size=_ID.size).digest(), "big", signed=True)


def recall(profile: Profile, event_id: int) -> int | None:
    """The payload's hash under which the event is remembered, or None if it is new.

    Remembered are the last 32 events in fold order within 24 h of the profile's clock.
    """
    place = _place(profile.remembered, event_id)
    if place < 0:
        return None
    _, payload, high, low = _EVENT.unpack_from(profile.remembered, place)
    return payload if (high << 32 | low) >= profile.clock - REMEMBERED_MS else None


def remember(profile: Profile, event_id: int, payload: int, time: int) -> None:
    """Notes the event, forgetting what had outlived its 24 h and the oldest beyond the bound."""
    remembered = profile.remembered
    if (place := _place(remembered, event_id)) >= 0:
        remembered = remembered[:place] + remembered[place + REMEMBERED_BYTES :]
    remembered += _EVENT.pack(event_id, payload, time >> 32, time & 0xFFFFFFFF)
    profile.remembered = remembered[_first_kept(remembered, profile.clock - REMEMBERED_MS) :]


def remembered_together(left: bytes, right: bytes, clock: int) -> bytes:
    """What is remembered of two histories, of which the right one is later in fold order."""
    both = left + right
    return both[_first_kept(both, clock - REMEMBERED_MS) :]


def _first_kept(remembered: bytes, oldest_ms: int) -> int:
    start = max(0, len(remembered) - REMEMBERED_EVENTS * REMEMBERED_BYTES)
    while start < len(remembered):
        _, _, high, low = _EVENT.unpack_from(remembered, start)
        if (high << 32 | low) >= oldest_ms:
            break
        start += REMEMBERED_BYTES
    return start


def _place(remembered: bytes, event_id: int) -> int:
    """Where the event with an id stands, or -1. What looks like the id across two events is not it."""
    packed = _ID.pack(event_id)
    place = remembered.find(packed)
    while place >= 0 and place % REMEMBERED_BYTES:
        place = remembered.find(packed, place + 1)
    return place
