"""What a read yields, and how the context's windows are read: one function for each way, in a closed table."""

from collections.abc import Callable, Mapping
from typing import Final

from fraudbrain_shared.features.hops import Number, Summary
from fraudbrain_shared.scenario.description import Read

Reading = Number | str | None
"""A feature's value, a bool among the numbers; None is unknown: the read of nothing, except for those that are 0."""


def _mean(summary: Summary, now: int) -> Reading:
    return summary.total / summary.count if summary.count else None


def _seconds_since(summary: Summary, now: int) -> Reading:
    return (now - summary.last_time) // 1000 if summary.last_time >= 0 else None


READS: Final[Mapping[Read, Callable[[Summary, int], Reading]]] = {
    "count": lambda summary, now: summary.count,
    "sum": lambda summary, now: summary.total,
    "mean": _mean,
    "min": lambda summary, now: summary.low if summary.count else None,
    "max": lambda summary, now: summary.high if summary.count else None,
    "last": lambda summary, now: summary.last if summary.last_time >= 0 else None,
    "seconds_since": _seconds_since,
}
