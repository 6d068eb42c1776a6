"""A subject's profile as it is held in memory and written to a row."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from fraudbrain_shared.features.flat_states import check_flat
from fraudbrain_shared.features.keeper import State

FORMAT: Final = 4
"""The form of rows. Those of form 1 were arrays that began with the subject, those of form 2 knew duplicates by
another hash and did not tell their states' layout, and those of form 3 had no flat states."""

_HUGE: Final = 1  # the code of a whole number beyond 64 bits


class States(msgspec.Struct, array_like=True, gc=False):
    """One state, or None, for each keeper of the fold that goes by `layout`."""

    layout: int
    kept: list[State | None]


def layout_of(forms: Sequence[str]) -> int:
    """The layout of a fold whose keepers have these forms; never 0, which is that of nothing."""
    return max(1, int.from_bytes(sha256("\n".join(forms).encode()).digest()[:4], "big"))


NO_STATES: Final = msgspec.msgpack.encode(States(0, []))


class Profile(msgspec.Struct, gc=False):
    """Everything folded for one subject.

    `epoch` and `last_applied` say up to which offset, `clock` is the largest event time folded (UTC ms, −1
    before the first), `remembered` the newest events (see `remembered`).

    Most states of features are `flat`: the kernel reads and folds them as they are (see `flat_states`). The others are
    packed until they are touched and again when the profile is put to rest: a worker holds a million subjects, of which
    it touches a few thousand between two flushes. While `states` is not None it counts, else `packed` does.
    """

    subject: str
    epoch: int = 0
    last_applied: int = -1
    clock: int = -1
    late_dropped: int = 0
    remembered: bytes = b""
    flat: bytes = b""
    packed: bytes = NO_STATES
    states: States | None = None


class _Row(msgspec.Struct, array_like=True, gc=False):
    format: int
    subject: str
    epoch: int
    last_applied: int
    clock: int
    late_dropped: int
    remembered: bytes
    flat: bytes
    states: msgspec.Raw


def encode_profile(profile: Profile) -> bytes:
    """The profile as the bytes of a row."""
    if profile.states is not None:
        profile.packed = _pack(profile.states)
    row = _Row(
        FORMAT,
        profile.subject,
        profile.epoch,
        profile.last_applied,
        profile.clock,
        profile.late_dropped,
        profile.remembered,
        profile.flat,
        msgspec.Raw(profile.packed),
    )
    return _encoder.encode(row)


def put_to_rest(profile: Profile) -> None:
    """Keeps the states as they were encoded last: nothing may have been folded since. Their next fold or read unpacks
    them, which costs as much as the fold."""
    profile.states = None


def decode_profile(row: bytes) -> Profile:
    """The profile in a row's bytes.

    Raises msgspec.DecodeError where they are no profile, or one of another form: such a one cannot be read, its
    subject's events must be folded again under a new epoch.
    """
    try:
        kept = _decoder.decode(row)
    except msgspec.ValidationError as error:
        raise msgspec.DecodeError(f"no profile of form {FORMAT}; fold the events again: {error}") from error
    if kept.format != FORMAT:
        raise msgspec.DecodeError(f"a profile of form {kept.format}, not {FORMAT}; fold the events again")
    check_flat(kept.flat)
    return Profile(
        kept.subject,
        kept.epoch,
        kept.last_applied,
        kept.clock,
        kept.late_dropped,
        kept.remembered,
        kept.flat,
        NO_STATES if kept.states == NO_STATES else bytes(kept.states),
    )


def unpacked(profile: Profile) -> States:
    """A copy of the states as they are folded."""
    packed = profile.packed if profile.states is None else _pack(profile.states)
    states: States = _states_decoder.decode(packed)
    return states


def _pack(states: States) -> bytes:
    buffer = bytearray()  # what `encode` returns holds on to up to twice its length
    try:
        _encoder.encode_into(states, buffer)
    except OverflowError:  # a sum of ints beyond 64 bits
        _encoder.encode_into(States(states.layout, _with_huge(states.kept)), buffer)
    return bytes(buffer)


def _with_huge(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_huge(each) for each in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return msgspec.msgpack.Ext(_HUGE, value.to_bytes((value.bit_length() + 8) // 8, "big", signed=True))
    return value


def _huge(code: int, data: memoryview) -> int:
    if code != _HUGE:
        raise ValueError(f"unknown extension {code}")
    return int.from_bytes(data, "big", signed=True)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Row)
_states_decoder = msgspec.msgpack.Decoder(States, ext_hook=_huge)
