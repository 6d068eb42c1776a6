"""The newest events of a subject by hashes of id and payload, to know a duplicate by.

Packed as 22 bytes for each, the oldest in fold order first: id, payload, event time in ms.
"""

from hashlib import blake2b
from typing import Final

from fraudbrain_shared.features.profile import Profile
from fraudbrain_shared.scenario.profile_state import REMEMBERED_BYTES, REMEMBERED_EVENTS

REMEMBERED_MS: Final = 24 * 60 * 60 * 1000

_HASH: Final = 8
_PAYLOAD: Final = slice(_HASH, 2 * _HASH)
_TIME: Final = slice(2 * _HASH, REMEMBERED_BYTES)


def hash64(data: bytes) -> int:
    """A signed 64-bit hash that is the same in every process."""
    return int.from_bytes(blake2b(data, digest_size=_HASH).digest(), "big", signed=True)


def recall(profile: Profile, event_id: int) -> int | None:
    """The payload's hash under which the event is remembered, or None if it is new.

    Remembered are the last 32 events in fold order within 24 h of the profile's clock.
    """
    place = _place(profile.remembered, _packed(event_id))
    if place < 0:
        return None
    known = profile.remembered[place : place + REMEMBERED_BYTES]
    if int.from_bytes(known[_TIME], "big") < profile.clock - REMEMBERED_MS:
        return None
    return int.from_bytes(known[_PAYLOAD], "big", signed=True)


def remember(profile: Profile, event_id: int, payload: int, time: int) -> None:
    """Notes the event, forgetting what had outlived its 24 h and the oldest beyond the bound."""
    remembered, packed_id = profile.remembered, _packed(event_id)
    if (place := _place(remembered, packed_id)) >= 0:
        remembered = remembered[:place] + remembered[place + REMEMBERED_BYTES :]
    remembered += packed_id + _packed(payload) + time.to_bytes(REMEMBERED_BYTES - 2 * _HASH, "big")
    profile.remembered = remembered[_first_kept(remembered, profile.clock - REMEMBERED_MS) :]


def remembered_together(left: bytes, right: bytes, clock: int) -> bytes:
    """What is remembered of two histories, of which the right one is later in fold order."""
    both = left + right
    return both[_first_kept(both, clock - REMEMBERED_MS) :]


def _first_kept(remembered: bytes, oldest_ms: int) -> int:
    start = max(0, len(remembered) - REMEMBERED_EVENTS * REMEMBERED_BYTES)
    while start < len(remembered):
        if int.from_bytes(remembered[start : start + REMEMBERED_BYTES][_TIME], "big") >= oldest_ms:
            break
        start += REMEMBERED_BYTES
    return start


def _place(remembered: bytes, packed_id: bytes) -> int:
    """Where the event with an id stands, or -1. What looks like the id across two events is not it."""
    place = remembered.find(packed_id)
    while place >= 0 and place % REMEMBERED_BYTES:
        place = remembered.find(packed_id, place + 1)
    return place


def _packed(hash_: int) -> bytes:
    return hash_.to_bytes(_HASH, "big", signed=True)
