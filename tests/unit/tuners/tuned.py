"""The small scenario's tuned parameters, and observations of them in any order and batches."""

from collections.abc import Iterable
from random import Random
from typing import Any

from fraudbrain_shared.tuners import Observation, Tuner, tuner_of
from tests.unit.scenario.closing import CLOSING
from tests.unit.scenario.small import parse

SCENARIO = parse(CLOSING)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
T0 = 20_000 * DAY


def tuner(name: str) -> Tuner:
    found = tuner_of(SCENARIO.parameters[name])
    assert found is not None
    return found


def state_of(tuner: Tuner, seen: Iterable[Observation]) -> Any:
    state = tuner.empty()
    for each in seen:
        tuner.add(state, each)
    return state


def shuffled_and_cut(tuner: Tuner, seen: list[Observation], seed: int) -> Any:
    """The state of the same observations in another order, joined of two parts."""
    rng = Random(seed)
    other = list(seen)
    rng.shuffle(other)
    cut = rng.randint(0, len(other))
    return tuner.joined(state_of(tuner, other[:cut]), state_of(tuner, other[cut:]))
