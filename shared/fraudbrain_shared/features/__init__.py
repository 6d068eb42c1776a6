"""Features: what is folded of a subject's events, and how it is read as of just before an event."""

from fraudbrain_shared.features.profile import (
    Profile,
    ProfileFold,
    decode_profile,
    encode_profile,
    hash64,
    recall,
    remember,
)

__all__ = ["Profile", "ProfileFold", "decode_profile", "encode_profile", "hash64", "recall", "remember"]
