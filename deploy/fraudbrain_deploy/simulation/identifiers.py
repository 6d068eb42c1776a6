"""Identifiers that say nothing about what they name, made in bulk."""

import zlib

import numpy as np
import numpy.typing as npt

from fraudbrain_deploy.simulation.mixing import mixed

Strings = npt.NDArray[np.bytes_]

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_PART_BITS = 24


def event_ids(seed: int, part: str, count: int) -> Strings:
    """`count` ids of 16 hexadecimal digits, unique over all parts, that do not show the part.

    They depend on seed, part and position only. Raises ValueError above 2^40 of one part.
    """
    if count >= 1 << (64 - _PART_BITS):
        raise ValueError(f"{part} has {count} events: more than ids can tell apart")
    code = np.uint64(zlib.crc32(part.encode()) & ((1 << _PART_BITS) - 1)) << np.uint64(64 - _PART_BITS)
    return _hexadecimal(mixed(code + np.arange(count, dtype=np.uint64), seed))


def numbered(prefix: str, numbers: npt.NDArray[np.int64], width: int) -> Strings:
    """Ids such as `c00042`."""
    digits = np.char.zfill(numbers.astype(f"S{width}"), width)
    return np.char.add(prefix.encode(), digits)


def _hexadecimal(numbers: npt.NDArray[np.uint64]) -> Strings:
    octets = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)
    digits = np.empty((len(numbers), 16), dtype=np.uint8)
    digits[:, 0::2] = _HEX[octets >> 4]
    digits[:, 1::2] = _HEX[octets & 15]
    return digits.reshape(-1).view("S16")
