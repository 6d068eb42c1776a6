"""Deciding: from an event and its subject's profile to an outcome with its reasons."""

from fraudbrain_shared.decisions.application import Application, Undecided
from fraudbrain_shared.decisions.decide import DecisionCore, Origin
from fraudbrain_shared.decisions.encoder import DecisionEncoder
from fraudbrain_shared.decisions.simulation import Simulation

__all__ = ["Application", "DecisionCore", "DecisionEncoder", "Origin", "Simulation", "Undecided"]
