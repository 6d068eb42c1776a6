"""Numbers as they travel from a worker to its keeper."""

from typing import Literal

import msgspec

from fraudbrain_realtime.metrics.histogram import Histogram


class Family(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A metric with its help and a value for each set of labels. Counters only grow while the process lives."""

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    samples: list[tuple[dict[str, str], float]]


class Distribution(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A histogram with its help: for each upper bound how often up to it and above the one before; the last count has
    none."""

    name: str
    help: str
    bounds: list[float]
    counts: list[int]
    total: float

    @classmethod
    def of(cls, name: str, about: str, histogram: Histogram) -> "Distribution":
        """The histogram as it is now."""
        return cls(name, about, list(histogram.bounds), list(histogram.counts), histogram.total_s)


class Measured(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All that a worker says of itself at a moment: whether it takes events, what an operator must see to, and its
    metrics, all under its own `labels`."""

    ready: bool
    problems: tuple[str, ...]
    labels: dict[str, str]
    families: list[Family]
    distributions: list[Distribution]


def counter(name: str, about: str, value: float) -> Family:
    """A counter without labels."""
    return Family(name, about, "counter", [({}, value)])


def gauge(name: str, about: str, value: float) -> Family:
    """A gauge without labels."""
    return Family(name, about, "gauge", [({}, value)])


def counters(name: str, about: str, label: str, values: dict[str, int]) -> Family:
    """A counter by one label."""
    return Family(name, about, "counter", [({label: key}, float(value)) for key, value in values.items()])


def gauges(name: str, about: str, label: str, values: dict[str, float]) -> Family:
    """A gauge by one label."""
    return Family(name, about, "gauge", [({label: key}, value) for key, value in values.items()])
