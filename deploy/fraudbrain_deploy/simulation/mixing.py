"""A one-to-one scrambling of 64-bit numbers: chance that depends on an identity, not on its place in a draw."""

import numpy as np
import numpy.typing as npt


def mixed(numbers: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint64]:
    """Other numbers, as many different ones, other for every seed (the finaliser of splitmix64)."""
    x = numbers ^ np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)), dtype=np.uint64)


def unit_interval(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Numbers in [0, 1), of the upper 53 bits."""
    return np.asarray((numbers >> np.uint64(11)).astype(np.float64) / 2**53)
