from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing.event_times import event_times

NOON = int(datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC).timestamp() * 1000)


def read(column: Any, zone: str = "UTC", scale: float | None = None) -> list[int | None]:
    found: list[int | None] = event_times(column, zone=zone, scale=scale).values.to_pylist()
    return found


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_time_without_zone_is_the_zones_own(unit: str) -> None:
    column = pa.array([datetime(2026, 7, 1, 14, 0, 0)], pa.timestamp(unit))
    assert read(column, zone="Europe/Madrid") == [NOON]


def test_a_time_with_zone_ignores_the_given_one() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    column = pa.array([datetime(2026, 7, 1, 17, 30, tzinfo=east)], pa.timestamp("us", tz="Asia/Kolkata"))
    assert read(column, zone="Europe/Madrid") == [NOON]


def test_text_may_mix_both() -> None:
    text = ["2026-07-01 14:00:00", "2026-07-01T12:00:00Z", "2026-07-01T14:00:00.250+02:00", "2026-07-01 14:00"]
    assert read(pa.array(text), zone="Europe/Madrid") == [NOON, NOON, NOON + 250, NOON]


def test_a_day_that_does_not_exist_spoils_only_its_own_row() -> None:
    assert read(pa.array(["2026-02-31 10:00:00", "2026-07-01 12:00:00", "yesterday"])) == [None, NOON, None]


def test_numbers_are_milliseconds_times_the_scale() -> None:
    assert read(pa.array([NOON // 1000]), scale=1000.0) == [NOON]
    assert read(pa.array([NOON])) == [NOON]


def test_a_date_is_its_midnight() -> None:
    assert read(pa.array([date(2026, 7, 1)])) == [NOON - 12 * 3_600_000]


def test_an_unknown_zone_is_told() -> None:
    with pytest.raises(UserError, match="Mars/Base"):
        read(pa.array([datetime(2026, 7, 1)]), zone="Mars/Base")
