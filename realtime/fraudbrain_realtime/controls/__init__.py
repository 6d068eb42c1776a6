"""Controls: what changes how decisions are made, and when it begins to act."""

from fraudbrain_realtime.controls.aside import PreparationAside
from fraudbrain_realtime.controls.controls import Controls
from fraudbrain_realtime.controls.feed import CONTROL_TOPICS, STEP_ENDS, ControlFeed
from fraudbrain_realtime.controls.preparation import Preparation, PreparationHere, Prepared

__all__ = [
    "CONTROL_TOPICS",
    "STEP_ENDS",
    "ControlFeed",
    "Controls",
    "Preparation",
    "PreparationAside",
    "PreparationHere",
    "Prepared",
]
