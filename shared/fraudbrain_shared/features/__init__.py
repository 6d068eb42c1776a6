"""Features: what is folded of a subject's or an entity's records, and how it is read as of just before an event."""

from fraudbrain_shared.features.context_fold import ContextFold, ContextInput, EntityStates, OversizeState
from fraudbrain_shared.features.context_view import ContextReading, ContextView
from fraudbrain_shared.features.fold_hash import fold_hash
from fraudbrain_shared.features.profile import Profile, decode_profile, encode_profile, put_to_rest
from fraudbrain_shared.features.profile_fold import ProfileFold
from fraudbrain_shared.features.remembered import hash64, recall, remember
from fraudbrain_shared.features.warm_profiles import WarmProfiles

__all__ = [
    "ContextFold",
    "ContextInput",
    "ContextReading",
    "ContextView",
    "EntityStates",
    "OversizeState",
    "Profile",
    "ProfileFold",
    "WarmProfiles",
    "decode_profile",
    "encode_profile",
    "fold_hash",
    "hash64",
    "put_to_rest",
    "recall",
    "remember",
]
