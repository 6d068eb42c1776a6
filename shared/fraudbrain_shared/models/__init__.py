"""Models: releases checked whole before they are used, and the kernel that scores with them."""

from fraudbrain_shared.models.forest import warm_up
from fraudbrain_shared.models.release import ReleaseError, open_release, seal
from fraudbrain_shared.models.scorer import Scorer, load_scorer

__all__ = ["ReleaseError", "Scorer", "load_scorer", "open_release", "seal", "warm_up"]
