"""Latencies counted in bins that widen with the value, so that a small one is as exact as a large one (HDR).

Each power of two is cut into 256 bins: a quantile is at most 0.4 % above the value that was measured, and never below
it. Written here, since the library of that name counts one value at a time and needs a build tool where it runs.
"""

from typing import Final, Self

import msgspec
import numpy as np
import numpy.typing as npt

_BITS: Final = 8
_BINS: Final = 1 << _BITS

Microseconds = npt.NDArray[np.int64]


class Quantiles(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds below which so many percent of the latencies are."""

    p50: float
    p99: float
    p99_9: float
    max: float


class Histogram(msgspec.Struct):
    """How many latencies fell into each bin that any fell into; the greatest is kept as it is."""

    counts: dict[int, int] = {}
    max_us: int = 0

    @classmethod
    def of(cls, latencies: Microseconds) -> Self:
        """All of these; what is below 0 counts as 0."""
        values = np.maximum(latencies, 0)
        bins, counts = np.unique(_bins(values), return_counts=True)
        return cls(dict(zip(bins.tolist(), counts.tolist(), strict=True)), int(values.max(initial=0)))

    def add(self, other: "Histogram") -> None:
        """Counts the other's latencies too."""
        for bin_, count in other.counts.items():
            self.counts[bin_] = self.counts.get(bin_, 0) + count
        self.max_us = max(self.max_us, other.max_us)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts.values())

    def quantile_us(self, share: float) -> int:
        """The least value that at least this share of the latencies does not exceed; 0 where there are none."""
        left = share * self.count
        for bin_ in sorted(self.counts):
            left -= self.counts[bin_]
            if left <= 1e-9:
                return min(_greatest(bin_), self.max_us)
        return self.max_us

    def quantiles(self) -> Quantiles:
        """Those that are looked at."""
        p50, p99, p99_9 = (self.quantile_us(share) / 1_000 for share in (0.5, 0.99, 0.999))
        return Quantiles(p50=p50, p99=p99, p99_9=p99_9, max=self.max_us / 1_000)


def _bins(values: Microseconds) -> Microseconds:
    """In which bin each value falls: those below 512 have one each."""
    _, lengths = np.frexp(values.astype(np.float64))
    shifts = np.maximum(lengths.astype(np.int64) - (_BITS + 1), 0)
    bins: Microseconds = shifts * _BINS + (values >> shifts)
    return bins


def _greatest(bin_: int) -> int:
    """The greatest value that falls into a bin."""
    shift = max(bin_ // _BINS - 1, 0)
    return ((bin_ - shift * _BINS + 1) << shift) - 1
