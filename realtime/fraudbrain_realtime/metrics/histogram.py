"""How often something took how long."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

BOUNDS_S: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Upper bounds, in seconds, of the buckets but the last. The target of 100 ms is far from the first: what is usual must
not be one bucket."""


class Histogram:
    """Counts by bucket, and the sum of all seconds."""

    def __init__(self, bounds: Sequence[float] = BOUNDS_S) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total_s = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total_s += seconds
