"""The ways to read a feature: which need a value, of which type, and what each yields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.scenario.description import Read

NUMBERS: Final = frozenset({Type.INT, Type.DOUBLE})
NUMBERS_AND_TEXTS: Final = NUMBERS | {Type.STRING}


@dataclass(frozen=True, slots=True)
class ReadRule:
    """One way to read. `takes` are the types its value may have, `yields` the read's own: None, the value's.

    Without a value, records are counted as 1. `of_nothing_known`: nothing happened, and that is 0.
    """

    meaning: str
    yields: Type | None
    takes: frozenset[Type] = NUMBERS
    needs_value: bool = True
    of_nothing_known: bool = False


_QUANTILE = ReadRule("the value that NN of 100 do not exceed, NN from 1 to 99", Type.DOUBLE)
RULES: Final[Mapping[str, ReadRule]] = {
    "count": ReadRule("how many records", Type.INT, NUMBERS_AND_TEXTS, needs_value=False, of_nothing_known=True),
    "sum": ReadRule("the sum of the values", None, of_nothing_known=True),
    "mean": ReadRule("their mean", Type.DOUBLE),
    "min": ReadRule("the least", None),
    "max": ReadRule("the greatest", None),
    "stddev": ReadRule("their standard deviation; unknown of fewer than two", Type.DOUBLE),
    "first": ReadRule("the oldest", None, NUMBERS_AND_TEXTS),
    "last": ReadRule("the newest", None, NUMBERS_AND_TEXTS),
    "distinct": ReadRule("how many different ones", Type.INT, NUMBERS_AND_TEXTS, of_nothing_known=True),
    "streak": ReadRule(
        "how many of the latest records in a row had `where` true and, with a value, the newest one's value",
        Type.INT,
        NUMBERS_AND_TEXTS,
        needs_value=False,
        of_nothing_known=True,
    ),
    "seconds_since": ReadRule("whole seconds since the newest record", Type.INT, NUMBERS_AND_TEXTS, needs_value=False),
    "quantile_NN": _QUANTILE,
}
"""By the word that stands in `read`; NN stands for a number of percent."""

_QUANTILE_WORD = re.compile(r"quantile_([1-9][0-9]?)")


def read_rule(read: Read) -> ReadRule | None:
    """The rule of a read such as `count` or `quantile_95`; None if there is no such read."""
    if quantile_percent(read) is not None:
        return _QUANTILE
    return RULES.get(read) if read != "quantile_NN" else None


def quantile_percent(read: Read) -> int | None:
    """NN of `quantile_NN`, from 1 to 99; None for other reads."""
    found = _QUANTILE_WORD.fullmatch(read)
    return int(found[1]) if found else None
