"""Tuners: from what everybody does to the number that a parameter should be.

Each kind keeps an aggregate per parameter and id that does not depend on the order of what is added nor
on how it was cut into batches, and is asked at ticks: the multiples of the parameter's `every` on the axis of
event time. At tick T it uses what happened before T, and all of that that it was given.
"""

from fraudbrain_shared.tuners.kinds import Tuner, tuner_of
from fraudbrain_shared.tuners.moves import moves
from fraudbrain_shared.tuners.observer import Observation, Observer

__all__ = ["Observation", "Observer", "Tuner", "moves", "tuner_of"]
