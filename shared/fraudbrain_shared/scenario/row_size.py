"""How many bytes a subject's row may take: known at load, so that no subject grows beyond it.

The numbers are upper bounds of what the folds keep, in MessagePack: change them together.
"""

from collections.abc import Iterable
from typing import Final

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.scenario.description import LastValues, Lifetime, ProfileFeature, Read, Window, Within
from fraudbrain_shared.scenario.kept_text import MAX_KEPT_TEXT
from fraudbrain_shared.scenario.reads import quantile_percent

MAX_ROW_BYTES: Final = 32 * 1024
"""The most that a subject's row may take."""

ROW_HEAD_BYTES: Final = 2_048
"""The subject's name, clocks, and the hashes and times of 32 remembered events."""
FEATURE_HEAD_BYTES: Final = 40
"""A feature's id, and what frames its state."""
NUMBER_BYTES: Final = 9
TEXT_BYTES: Final = 3 + 4 * MAX_KEPT_TEXT
DISTINCT_BYTES: Final = 1_024
"""Hashes of different values, exact up to a bound, from there on a sketch."""
DISTINCT_HOP_BYTES: Final = 160
"""The same for one hop of a window."""
QUANTILE_BYTES: Final = 1_536
"""A sketch of all values of a life."""


def worst_case_bytes(feature: ProfileFeature) -> int:
    """The most bytes that the state of one feature takes in a row."""
    value = TEXT_BYTES if feature.value and feature.value.type is Type.STRING else NUMBER_BYTES
    span = feature.span
    match span:
        case Window():
            hops = span.length_ms // span.hop_ms + 1
            return FEATURE_HEAD_BYTES + hops * _cell_bytes(feature.read, value, DISTINCT_HOP_BYTES)
        case LastValues():
            return FEATURE_HEAD_BYTES + span.count * (NUMBER_BYTES + value)
        case Within():
            key = TEXT_BYTES if span.key.type is Type.STRING else NUMBER_BYTES
            return FEATURE_HEAD_BYTES + key + _cell_bytes(feature.read, value, DISTINCT_BYTES)
        case Lifetime():
            return FEATURE_HEAD_BYTES + _cell_bytes(feature.read, value, DISTINCT_BYTES)


def row_bytes(features: Iterable[ProfileFeature]) -> int:
    """The most bytes that a row with these features takes."""
    return ROW_HEAD_BYTES + sum(map(worst_case_bytes, features))


def _cell_bytes(reads: Iterable[Read], value: int, distinct: int) -> int:
    """What is kept of one hop, or of a whole trip or life: its index, count, sum, least and greatest value
    always, more for the reads that need it."""
    more = {
        "stddev": 2 * NUMBER_BYTES,  # mean and sum of squares about it
        "first": NUMBER_BYTES + value,  # with its time, as for the last
        "last": NUMBER_BYTES + value,
        "streak": NUMBER_BYTES + value,
        "seconds_since": NUMBER_BYTES,
        "distinct": distinct,
    }
    quantiles = QUANTILE_BYTES if any(quantile_percent(read) for read in reads) else 0
    return 1 + 5 * NUMBER_BYTES + quantiles + sum(more.get(read, 0) for read in reads)
