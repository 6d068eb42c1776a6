"""When things happened, as UTC milliseconds, from whatever a foreign file has."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing.converted import Column, Converted, is_text, mask, only
from fraudbrain_deploy.importing.numbers import whole_numbers

TIME = "a time, such as 2026-01-31 13:45:00 or 2026-01-31T13:45:00.250+01:00"

_MS = pa.timestamp("ms", tz="UTC")
_NS = pa.timestamp("ns")
_ISO = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?\s*(Z|[+-]\d\d:?\d\d)?$"
_ZONED = r"(Z|:\d\d(\.\d+)?\s*[+-]\d\d:?\d\d)$"


def event_times(column: Column, *, zone: str, scale: float | None) -> Converted:
    """UTC milliseconds. A time without zone is one of `zone`'s; a number, times `scale`, is milliseconds already.

    A local time that occurs twice, when clocks go back, is taken as the earlier.
    """
    if is_text(column):
        return Converted.of(_parsed(column, zone), column, TIME)
    if pa.types.is_date(column.type):
        column = column.cast(_NS)
    if pa.types.is_timestamp(column.type):
        return Converted.of(_utc_ms(column, zone), column, TIME)
    return Converted.of(whole_numbers(column, 1.0 if scale is None else scale).values, column, TIME)


def _utc_ms(column: Column, zone: str) -> Column:
    if column.type.tz is None:
        column = _in_zone(column, zone)
    return column.cast(_MS, safe=False).cast(pa.int64())


def _in_zone(column: Column, zone: str) -> Column:
    if zone == "UTC":  # works on machines without a table of time zones
        return column.cast(pa.timestamp(column.type.unit, tz="UTC"))
    try:
        return pc.assume_timezone(column, zone, ambiguous="earliest", nonexistent="earliest")
    except pa.ArrowInvalid as error:
        raise UserError(
            f"The time zone {zone!r} is not known here: {error}", "Use a name such as Europe/Berlin."
        ) from error


def _parsed(column: Column, zone: str) -> Column:
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    readable = mask(pc.match_substring_regex(text, _ISO))
    zoned = mask(pc.match_substring_regex(text, _ZONED))
    try:
        local = _utc_ms(only(text, readable & ~zoned).cast(_NS), zone)
        fixed = only(text, readable & zoned).cast(pa.timestamp("ns", tz="UTC")).cast(_MS, safe=False).cast(pa.int64())
    except pa.ArrowInvalid:  # some 31st of February: slowly then, row by row
        return pa.array([_one(value, zone) for value in text.to_pylist()], pa.int64())
    return pc.coalesce(local, fixed)


def _one(text: str | None, zone: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text or "")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        return int(moment.timestamp() * 1000)
    except ZoneInfoNotFoundError as error:
        raise UserError(f"The time zone {zone!r} is not known here.", "Use a name such as Europe/Berlin.") from error
    except (ValueError, OverflowError):
        return None
