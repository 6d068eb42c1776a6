"""Models: releases checked whole before they are used, and the kernel that scores with them."""

from fraudbrain_shared.models.forest import warm_up
from fraudbrain_shared.models.packed import pack, unpack
from fraudbrain_shared.models.release import ReleaseError, load_scorer, open_release, seal
from fraudbrain_shared.models.scorer import Contributions, Scorer, Value

__all__ = [
    "Contributions",
    "ReleaseError",
    "Scorer",
    "Value",
    "load_scorer",
    "open_release",
    "pack",
    "seal",
    "unpack",
    "warm_up",
]
