"""Durations as people write them: a whole number and a unit, such as `50ms`, `1h` or `7d`."""

import re
from typing import Final

_UNITS_MS: Final[dict[str, int]] = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
EXPECTED: Final = "a duration is a whole number with ms, s, m, h or d, such as 50ms or 7d"


def milliseconds(text: str) -> int:
    """The length of a duration. Raises ValueError where the text is none."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(EXPECTED)
    return int(found[1]) * _UNITS_MS[found[2]]


def written(length_ms: int) -> str:
    """The duration in the largest unit that divides it: the inverse of `milliseconds`."""
    unit = next(unit for unit in reversed(_UNITS_MS) if length_ms % _UNITS_MS[unit] == 0)
    return f"{length_ms // _UNITS_MS[unit]}{unit}"
