from datetime import UTC, datetime, timedelta
from importlib.resources import files
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fraudbrain_shared.expressions import Name, Type, check, compile_function
from fraudbrain_shared.expressions.calendar import date_of
from fraudbrain_shared.expressions.time_zones import Zone, names, zone_named, zone_of
from fraudbrain_shared.expressions.types import RANGES
from tests.unit.expressions.evaluation import value_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = "timestamp('2024-02-29T23:59:58.125Z')"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("getFullYear()", 2024),
        ("getMonth()", 1),
        ("getDate()", 29),
        ("getDayOfMonth()", 28),
        ("getDayOfWeek()", 4),
        ("getDayOfYear()", 59),
        ("getHours()", 23),
        ("getMinutes()", 59),
        ("getSeconds()", 58),
        ("getMilliseconds()", 125),
        ("getDate('UTC')", 29),
        ("getDate('+01:00')", 1),
        ("getMonth('Europe/Berlin')", 2),
        ("getMinutes('+05:45')", 44),
        ("getMinutes('Asia/Kathmandu')", 44),
        ("getHours('-00:30')", 23),
        ("getHours('02:00')", 1),
    ],
)
def test_parts_of_a_timestamp(text: str, result: int) -> None:
    assert value_of(f"{MOMENT}.{text}") == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("duration('1h30m').getHours()", 1),
        ("duration('-1h30m').getHours()", -1),
        ("duration('1h30m').getMinutes()", 90),
        ("duration('1h30m').getSeconds()", 5_400),
        ("duration('61.250s').getMilliseconds()", 250),
        ("duration('-61.250s').getMilliseconds()", -250),
        ("timestamp(1700000000) == timestamp('2023-11-14T22:13:20Z')", True),
        ("int(timestamp(-1))", -1),
        ("timestamp(timestamp(5)) - timestamp(4) == duration(duration('1s'))", True),
    ],
)
def test_durations_and_conversions(text: str, result: Any) -> None:
    assert value_of(text) == result


def test_dates_are_those_of_the_library() -> None:
    for day in range(-719_162, 2_932_896, 97):
        date = EPOCH.date() + timedelta(days=day)
        assert date_of(day) == (date.year, date.month, date.day, date.timetuple().tm_yday)


@pytest.mark.parametrize(
    ("zone", "utc", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T00:59:59.999Z", 1),
        ("Europe/Berlin", "2026-03-29T01:00:00Z", 3),
        ("Europe/Berlin", "2026-10-25T00:59:59.999Z", 2),
        ("Europe/Berlin", "2026-10-25T01:00:00Z", 2),
        ("America/New_York", "2026-03-08T06:59:59Z", 1),
        ("America/New_York", "2026-03-08T07:00:00Z", 3),
    ],
)
def test_hours_where_clocks_are_changed(zone: str, utc: str, hours: int) -> None:
    assert value_of(f"timestamp('{utc}').getHours('{zone}')") == hours


def test_local_time_is_that_of_the_library_at_every_change_and_at_random() -> None:
    random = Random(7)
    for name in random.sample(list(names()), 40):
        zone = zone_named(name)
        with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
            rules = ZoneInfo.from_file(file)
        for moment in (*changes(rules), *(random.randrange(-(10**13), 2 * 10**14) for _ in range(50))):
            for ms in (moment - 1, moment, moment + 1):
                local = (EPOCH + timedelta(milliseconds=ms)).astimezone(rules).replace(tzinfo=UTC)
                assert zone.local(ms) == (local - EPOCH) // timedelta(milliseconds=1), (name, ms)


def changes(rules: ZoneInfo) -> list[int]:
    """The moments within 40 years at which the clocks change, found by looking every 5 days."""
    found = []
    for day in range(15_000, 29_000, 5):
        low, high = day * 86_400, (day + 5) * 86_400
        if offset(rules, low) == offset(rules, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(rules, middle) == offset(rules, low) else (low, middle)
        found.append(high * 1_000)
    return found


def offset(rules: ZoneInfo, seconds: int) -> timedelta | None:
    return (EPOCH + timedelta(seconds=seconds)).astimezone(rules).utcoffset()


def test_local_time_may_lie_beyond_the_years_of_timestamps() -> None:
    ends = {"low": RANGES[Type.TIMESTAMP].low, "high": RANGES[Type.TIMESTAMP].high}
    scope = {name: Name(name, Type.TIMESTAMP, name) for name in ends}
    texts = ("low.getFullYear('America/New_York')", "low.getFullYear('-01:00')", "high.getFullYear('Asia/Tokyo')")
    function = compile_function("f", list(ends), {text: check(text, scope) for text in texts})
    assert function(**ends) == (0, 0, 10_000)


def test_a_zone_remembers_a_bounded_number_of_days() -> None:
    zone = zone_of("Europe/Paris")
    assert isinstance(zone, Zone)
    for day in range(10_000):
        zone.local(day * 86_400_000)
    assert len(zone._offset_ms_of_day) <= 4_096
