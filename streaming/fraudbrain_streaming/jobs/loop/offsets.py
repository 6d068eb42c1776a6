"""How far topics were read: next offsets by topic and partition number, as they stand in `progress`."""

from collections.abc import Mapping
from typing import Final

INPUTS: Final = ("events", "decisions", "labels")
"""The topics that the loop folds."""

Offsets = Mapping[str, Mapping[str, int]]


def reaches(read: Offsets, wanted: Offsets) -> bool:
    """Whether the inputs among the wanted topics were read up to the offsets that are wanted of them."""
    return all(
        read.get(topic, {}).get(partition, 0) >= offset
        for topic in INPUTS
        for partition, offset in wanted.get(topic, {}).items()
    )
