"""The newest events of a subject by hashes of id and payload, to know a duplicate by.

Packed as 22 bytes for each, the oldest in fold order first: id, payload, event time in ms.
"""

from hashlib import sha256
from typing import Final

from fraudbrain_shared.features.profile import Profile
from fraudbrain_shared.scenario.profile_state import REMEMBERED_BYTES, REMEMBERED_EVENTS

REMEMBERED_MS: Final = 24 * 60 * 60 * 1000

_HASH: Final = 8
_TIME: Final = 2 * _HASH  # where it begins
_TIME_BYTES: Final = REMEMBERED_BYTES - _TIME
_MOST: Final = REMEMBERED_EVENTS * REMEMBERED_BYTES


def hash64(data: bytes) -> bytes:
    """A hash of 8 bytes that is the same in every process.

    Of SHA-256, for which processors have instructions: it takes two thirds of the time of BLAKE2.
    """
    return sha256(data).digest()[:_HASH]


def recall(profile: Profile, event_id: bytes) -> bytes | None:
    """The payload's hash under which the event is remembered, or None if it is new.

    Remembered are the last 32 events in fold order within 24 h of the profile's clock. One with this id that outlived
    them is forgotten.
    """
    remembered = profile.remembered
    place = remembered.find(event_id)
    while place >= 0 and place % REMEMBERED_BYTES:  # what looks like the id across two events is not it
        place = remembered.find(event_id, place + 1)
    if place < 0:
        return None
    time, end = place + _TIME, place + REMEMBERED_BYTES
    if remembered[time:end] < _oldest(profile.clock):
        profile.remembered = remembered[:place] + remembered[end:]
        return None
    return remembered[place + _HASH : time]


def remember(profile: Profile, event_id: bytes, payload: bytes, time: int) -> None:
    """Notes an event that `recall` does not know, forgetting what outlived its 24 h and the oldest beyond the bound."""
    event = (profile.remembered, event_id, payload, time.to_bytes(_TIME_BYTES))
    profile.remembered = _kept(b"".join(event), profile.clock)


def remembered_together(left: bytes, right: bytes, clock: int) -> bytes:
    """What is remembered of two histories, of which the right one is later in fold order."""
    return _kept(left + right, clock)


def _kept(remembered: bytes, clock: int) -> bytes:
    oldest, length = _oldest(clock), len(remembered)
    start = length - _MOST if length > _MOST else 0
    while start < length and remembered[start + _TIME : start + REMEMBERED_BYTES] < oldest:
        start += REMEMBERED_BYTES
    return remembered[start:]


def _oldest(clock: int) -> bytes:
    """The least time that is kept, the highest byte first: such times are in the order of their bytes."""
    return (clock - REMEMBERED_MS if clock > REMEMBERED_MS else 0).to_bytes(_TIME_BYTES)
