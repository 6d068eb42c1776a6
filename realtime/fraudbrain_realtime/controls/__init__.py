"""Controls: what changes how decisions are made, and when it begins to act."""

from fraudbrain_realtime.controls.controls import Controls
from fraudbrain_realtime.controls.feed import CONTROL_TOPICS, ControlFeed

__all__ = ["CONTROL_TOPICS", "ControlFeed", "Controls"]
