"""The kinds of tuners, in one table."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from fraudbrain_shared.controls.governor import Suggestion
from fraudbrain_shared.controls.starting import Start
from fraudbrain_shared.scenario.description import BudgetTuner, Parameter, RateTuner, SurgeTuner
from fraudbrain_shared.tuners.budget import Budget
from fraudbrain_shared.tuners.observation import Observation
from fraudbrain_shared.tuners.rate import Rate
from fraudbrain_shared.tuners.surge import Surge


class Tuner(Protocol):
    """What every kind does. It holds no data: states are plain, any store can keep them as msgpack.

    `warm_up_ms` is how long everything must have been watched before its suggestions mean anything.
    """

    warm_up_ms: int

    def empty(self) -> Any:
        """The state of a parameter and id of which nothing was seen yet."""

    def add(self, state: Any, seen: Observation) -> None:
        """Takes note of an observation."""

    def joined(self, left: Any, right: Any) -> Any:
        """The state of both parts together. Changes neither."""

    def suggest(self, state: Any, tick: int, start: Start) -> Suggestion | None:
        """What the parameter should be, by what happened before the tick; None where nothing did."""

    def due(self, state: Any, after: int, until: int) -> Iterator[int]:
        """The ticks after `after` and up to `until` at which there may be a suggestion, in order."""

    def trim(self, state: Any, tick: int) -> None:
        """Forgets what no tick after this one reads."""


KINDS: Final[Mapping[type, Callable[..., Tuner]]] = {RateTuner: Rate, SurgeTuner: Surge, BudgetTuner: Budget}


def tuner_of(parameter: Parameter) -> Tuner | None:
    """The tuner that moves a parameter; None for one that nobody moves."""
    if parameter.tuning is None:
        return None
    tuner = parameter.tuning.tuner
    return KINDS[type(tuner)](tuner, parameter.tuning)
