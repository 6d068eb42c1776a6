"""What validation holds out: stretches of time, and for each what was known when it began.

Nothing that became known later may reach the training of a stretch; this is the one place that says so.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudbrain_offline.dataset import DataSet, maturity_ms

WEEK_MS: Final = 7 * 86_400_000
MOST_WEEKS: Final = 4
"""Each costs a training on nearly all of the data."""

_WEEKS_SHARE: Final = 3  # weeks take at most a third of the time: before them there must be something to learn from
_SHORTER_SHARE: Final = 5  # without weeks, the last fifth

Rows = npt.NDArray[np.intp]


class Stretch(NamedTuple):
    """A part of the time that is held out: `begin_ms` ≤ event time < `end_ms`."""

    begin_ms: int
    end_ms: int


def stretches(data: DataSet) -> tuple[Stretch, ...]:
    """The last weeks, at most four and a third of the time, in order; if there is not one, the last fifth."""
    if not len(data):
        return ()
    first, end = int(data.event_times[0]), int(data.event_times[-1]) + 1
    weeks = min(MOST_WEEKS, (end - first) // (_WEEKS_SHARE * WEEK_MS))
    if not weeks:
        return (Stretch(end - (end - first) // _SHORTER_SHARE, end),)
    begins = [end - back * WEEK_MS for back in range(weeks, 0, -1)]
    return tuple(Stretch(begin, begin + WEEK_MS) for begin in begins)


def learnt_from(data: DataSet, at_ms: int) -> Rows:
    """The events that a training at a time would have learnt from, as `dataset.read_data_set` chooses them.

    Their labels were known by then, and they were old enough for either kind of label to be known, by the delays
    seen by then. An event whose label was corrected later counts as not known yet.
    """
    known = _known(data, at_ms)
    mature = maturity_ms(data.known_at[known] - data.event_times[known], data.fraud[known])
    return known[data.event_times[known] <= at_ms - mature]


def held_out(data: DataSet, stretch: Stretch) -> Rows:
    """The events of a stretch, without those of cards of which a fraud was known when it began: they are blocked."""
    known = _known(data, stretch.begin_ms)
    blocked = np.unique(data.subjects[known[data.fraud[known]]])
    inside = np.flatnonzero((data.event_times >= stretch.begin_ms) & (data.event_times < stretch.end_ms))
    return inside[~np.isin(data.subjects[inside], blocked)]


def measurable(data: DataSet) -> Iterator[tuple[Stretch, Rows, Rows]]:
    """The stretches with what is learnt from and what is held out, as far as both hold frauds and honest events."""
    for stretch in stretches(data):
        learnt, tested = learnt_from(data, stretch.begin_ms), held_out(data, stretch)
        if all(0 < data.fraud[rows].sum() < len(rows) for rows in (learnt, tested)):
            yield stretch, learnt, tested


def _known(data: DataSet, at_ms: int) -> Rows:
    return np.flatnonzero((data.event_times < at_ms) & (data.known_at <= at_ms))
