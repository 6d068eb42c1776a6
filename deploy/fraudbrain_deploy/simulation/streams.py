"""Random streams by name: each part of a simulation draws from its own, so parts do not disturb each other."""

import zlib

import numpy as np


def stream(seed: int, part: str) -> np.random.Generator:
    """The numbers for `part`: the same for the same seed and name, whatever other parts draw."""
    return np.random.default_rng([seed, zlib.crc32(part.encode())])
