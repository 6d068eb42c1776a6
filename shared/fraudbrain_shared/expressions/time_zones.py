"""Time zones: from points of time to what the clocks of a place show then.

Names are those of the IANA Time Zone Database, taken from the package `tzdata` and never from the machine, so that a
rule means the same on all of them.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from fraudbrain_shared.expressions.problems import nearest
from fraudbrain_shared.expressions.types import RANGES, Range, Type

DAY_MS = 86_400_000
# The largest offset that the database knows is 15 h 13 min; a fixed one is below a day.
LOCAL_RANGE = Range(RANGES[Type.TIMESTAMP].low - DAY_MS, RANGES[Type.TIMESTAMP].high + DAY_MS)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIXED = re.compile(r"([+-]?)([01][0-9]|2[0-3]):([0-5][0-9])")
# `datetime` ends with the year 9999, and local time may lie beyond it; no zone changes its clocks on these days.
_DATETIMES = Range(RANGES[Type.TIMESTAMP].low + DAY_MS, RANGES[Type.TIMESTAMP].high - DAY_MS)
_MAX_REMEMBERED_DAYS = 4_096


class Zone:
    """A zone of the database. Offsets are remembered by UTC day, but for days on which the clocks are changed."""

    __slots__ = ("_offset_ms_of_day", "_rules", "name")

    def __init__(self, name: str, rules: ZoneInfo) -> None:
        self.name = name
        self._rules = rules
        self._offset_ms_of_day: dict[int, int] = {}

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return zone_named, (self.name,)

    def local(self, ms: int) -> int:
        """The local time at `ms` (UTC), as milliseconds since 1970-01-01T00:00 local time."""
        offset = self._offset_ms_of_day.get(ms // DAY_MS)
        return ms + (self._offset_ms(ms) if offset is None else offset)

    def _offset_ms(self, ms: int) -> int:
        day = ms // DAY_MS
        first, last = (self._exact_offset_ms(each) for each in (day * DAY_MS, (day + 1) * DAY_MS - 1))
        if first != last:
            return self._exact_offset_ms(ms)
        if len(self._offset_ms_of_day) >= _MAX_REMEMBERED_DAYS:
            self._offset_ms_of_day = {}
        self._offset_ms_of_day[day] = first
        return first

    def _exact_offset_ms(self, ms: int) -> int:
        within = min(max(ms, _DATETIMES.low), _DATETIMES.high)
        offset = (_EPOCH + within * _MILLISECOND).astimezone(self._rules).utcoffset()
        assert offset is not None, "a time in a zone has an offset"
        return offset // _MILLISECOND


def zone_of(text: str) -> Zone | int:
    """The zone `text` names, or the milliseconds to add to UTC for UTC itself and for `+HH:MM` and `-HH:MM`.

    ValueError says why it is none. As in the CEL specification, "Timezones"; the sign may be missing as in its tests.
    """
    if text == "UTC":
        return 0
    if fixed := _FIXED.fullmatch(text):
        sign, hours, minutes = fixed.groups()
        return (int(hours) * 60 + int(minutes)) * (-60_000 if sign == "-" else 60_000)
    if text not in names():
        raise ValueError(nearest(text, names()) or "a time zone is UTC, +05:30 or a name such as Europe/Paris")
    return zone_named(text)


@lru_cache(maxsize=1)
def names() -> Sequence[str]:
    """All names of the database."""
    return resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()


@lru_cache
def zone_named(name: str) -> Zone:
    """The zone of this name, which is one of `names`; always the same one, so that what it remembers is shared."""
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return Zone(name, ZoneInfo.from_file(file, key=name))
