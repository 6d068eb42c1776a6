"""What a tuner is given: one value at one time."""

from typing import NamedTuple


class Observation(NamedTuple):
    """One record of which a parameter's tuner takes note, for one id.

    `time` is the event's, or when the label was known, UTC ms. `value` is 1 for a fraud and 0 for a good
    label, a score, or 1 for an event that is only counted; `release` is the one that gave the score.
    """

    parameter: str
    id: str
    time: int
    value: float = 1
    release: str | None = None
