"""Where a parameter stands before anything has moved it."""

from collections.abc import Mapping
from typing import NamedTuple

from fraudbrain_shared.records.control import Number
from fraudbrain_shared.scenario.description import Parameter


class Start(NamedTuple):
    """The value from which a parameter moves and to which it returns.

    `release` is the live model release if the parameter lives on the scale of its scores, else None.
    """

    value: Number
    release: str | None = None


def start_of(parameter: Parameter, release: str | None = None, starting_values: Mapping[str, float] = {}) -> Start:
    """The default; of a threshold on the score what the live release says, within the parameter's bounds."""
    if parameter.scale != "score":
        return Start(parameter.default)
    return Start(within_bounds(parameter, starting_values.get(parameter.name, parameter.default)), release)


def within_bounds(parameter: Parameter, value: Number) -> Number:
    """The nearest value that the parameter may have."""
    if parameter.type == "int":
        value = round(value)
    return min(max(value, parameter.low), parameter.high)
