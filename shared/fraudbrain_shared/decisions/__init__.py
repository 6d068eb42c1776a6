"""Deciding: from an event and its subject's profile to an outcome with its reasons."""

from fraudbrain_shared.decisions.decide import DecisionCore, Origin

__all__ = ["DecisionCore", "Origin"]
