"""Where things stand in flat states, and in the array that a fold and its kernel share."""

from hashlib import sha256
from typing import Final

# Bits of the letters that a state keeps, in the order in which a hop has them.
LETTERS: Final = "nslhqaz"
COUNT, TOTAL, LOW, HIGH, SQUARES, FIRST, NEWEST = (1 << place for place in range(len(LETTERS)))

STATE_HEAD: Final = 7
"""Bytes before what a state keeps: its tag, the length of what follows, its letters."""

# What the kernels answer instead of a length.
DECLINED: Final = -1
OTHER_LAYOUT: Final = -2
UNSOUND: Final = -3

# What is read of the hops of a window, a word each: a mean is a double.
READ_COUNT, READ_SUM, READ_MEAN, READ_LOW, READ_HIGH = range(5)
READ_SQUARES, READ_FIRST, READ_LAST, READ_AGE, READ_HOPS = range(5, 10)

# The words of the shared array: what a fold gives, and how many values came too late.
TIME, CLOCK, MASK, LATE, VALUES = range(5)
MOST_STATES: Final = 63
"""So many states of a fold can be flat: a bit of `MASK` and a word of `VALUES` each."""
_AFTER: Final = VALUES + MOST_STATES
# How many states there are and windows, and where the tables, the columns, what was read and what was folded stand.
LAYOUT, STATES, WINDOWS, OUT_AT, COLUMNS_AT, BYTES_AT, CAPACITY = range(_AFTER, _AFTER + 7)
TABLE: Final = _AFTER + 7
"""From here on for each window its length, its hop and room for its begin, in seconds; then the states, see
`flat_states.FlatStates`."""

MOST_HOPS: Final = 2_048
COLUMNS: Final = 8

MOST_HOP_BYTES: Final = 90
MOST_HEAD_BYTES: Final = 80
MOST_BODY: Final = 65_535

STAMP: Final = int.from_bytes(
    sha256(repr([each for each in globals().items() if each[0].isupper()]).encode()).digest()[:7]
)
"""Another one for another layout: machine code may be older than this file."""
