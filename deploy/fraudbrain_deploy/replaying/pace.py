"""How fast a replay goes: all at once, so many events a second, or one step of event time after the other."""

from dataclasses import dataclass

from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.durations import milliseconds

_FASTEST = 1e7


@dataclass(frozen=True, slots=True)
class AtRate:
    """So many events a second."""

    events_per_s: float


@dataclass(frozen=True, slots=True)
class InSteps:
    """Steps of so much event time, each after all tiers have done with the one before."""

    length_ms: int


Pace = AtRate | InSteps | None
"""None is as fast as it goes."""


def pace_from(text: str) -> Pace:
    """`max`, a number of events a second, or a duration. Raises ValueError for anything else."""
    if text == "max":
        return None
    if text[-1:].isalpha() and text[:1].isdigit():
        return InSteps(milliseconds(text))
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < _FASTEST:
        raise ValueError(f"max, events a second such as 500, or steps of event time such as 1d, not {text!r}")
    return AtRate(rate)


def refuse_long_steps(scenario: Scenario, length_ms: int) -> None:
    """Raises UserError where a parameter could expire between two steps, before any evidence renews it."""
    expiring = [(each.tuning.expires_ms, each.name) for each in scenario.parameters.values() if each.tuning]
    if not expiring:
        return
    expires_ms, name = min(expiring)
    if 2 * length_ms > expires_ms:
        longest, asked = _hours(expires_ms / 2), _hours(length_ms)
        raise UserError(
            f"Steps of {asked} are too long: the parameter {name} expires after {_hours(expires_ms)}.",
            f"A step may last at most half of that. Use --pace {longest} or less.",
        )


def _hours(duration_ms: float) -> str:
    hours = duration_ms / 3_600_000
    return f"{hours:g}h" if hours >= 1 else f"{duration_ms / 1000:g}s"
