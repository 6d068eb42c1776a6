"""What a row of the profile store says to a worker of one epoch."""

import msgspec

from fraudbrain_shared.features import Profile, decode_profile


class WrongEpoch(Exception):
    """The profiles in the store belong to another log, other folds or another epoch than this worker's."""


def own_profile(subject: str, row: bytes, epoch: int) -> Profile:
    """The profile in a subject's row; a new one where the row was left by an earlier epoch.

    Raises WrongEpoch where the row is of a later one, which began while this worker was running, msgspec.DecodeError
    where it is no profile. That the row names its subject is the second check that no other row's value was handed out.
    """
    head = _head_of(row)
    if head.subject != subject:
        raise RuntimeError("the profile store returned another subject's row")
    if head.epoch > epoch:
        raise WrongEpoch(f"epoch {head.epoch} has begun, this worker is of epoch {epoch}: start it again")
    return Profile(subject) if head.epoch < epoch else decode_profile(row)


class _Head(msgspec.Struct, array_like=True, gc=False):
    """How every row begins since form 2."""

    format: int
    subject: str
    epoch: int


class _HeadOfForm1(msgspec.Struct, array_like=True, gc=False):
    subject: str
    epoch: int


_head = msgspec.msgpack.Decoder(_Head)
_head_of_form_1 = msgspec.msgpack.Decoder(_HeadOfForm1)


def _head_of(row: bytes) -> _Head | _HeadOfForm1:
    try:
        return _head.decode(row)
    except msgspec.ValidationError:
        return _head_of_form_1.decode(row)
