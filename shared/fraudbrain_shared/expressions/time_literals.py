"""Points and lengths of time as CEL writes them, exact to the millisecond."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from fraudbrain_shared.expressions.types import RANGES, Type

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DURATION = re.compile(r"([+-]?)(?:(0)|((?:[0-9]+(?:\.[0-9]*)?(?:h|ms|m|s|us|µs|ns))+))")
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?)([a-zµ]+)")
_UNIT_MS = {
    "h": Fraction(3_600_000),
    "m": Fraction(60_000),
    "s": Fraction(1_000),
    "ms": Fraction(1),
    "us": Fraction(1, 1_000),
    "µs": Fraction(1, 1_000),
    "ns": Fraction(1, 1_000_000),
}


def timestamp_ms(text: str) -> int:
    """Milliseconds since 1970 UTC of an RFC 3339 time; ValueError says why `text` is none."""
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        raise ValueError("a timestamp looks like 2026-01-31T09:30:00Z or 2026-01-31T09:30:00.250+01:00")
    seconds, fraction, zone = match.groups()
    try:
        whole = (datetime.fromisoformat(seconds + zone.replace("Z", "+00:00")) - _EPOCH) // _MILLISECOND
    except OverflowError:
        raise ValueError("timestamps span the years 1 to 9999") from None
    return _within(Type.TIMESTAMP, whole + Fraction(int(fraction or 0) * 1_000, 10 ** len(fraction or "")))


def duration_ms(text: str) -> int:
    """Milliseconds of a sum of parts such as `1h30m` or `1.5s`; ValueError says why `text` is none."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError("a duration looks like 1h30m, 1.5s or 250ms; the longest unit is h")
    parts = _PART.findall(match[3] or "")
    total = sum((Fraction(number.rstrip(".")) * _UNIT_MS[unit] for number, unit in parts), Fraction(0))
    return _within(Type.DURATION, -total if match[1] == "-" else total)


def _within(type_: Type, exact_ms: Fraction) -> int:
    if exact_ms.denominator != 1:
        raise ValueError(f"a {type_.value} is kept in whole milliseconds")
    low, high = RANGES[type_]
    if not low <= exact_ms <= high:
        raise ValueError(f"this {type_.value} is out of range")
    return int(exact_ms)


def timestamp_text(ms: int) -> str:
    """RFC 3339 in UTC, with three digits of a second or none; beyond the years 1 to 9999 their first or last moment."""
    low, high = RANGES[Type.TIMESTAMP]
    time = _EPOCH + timedelta(milliseconds=min(max(ms, low), high))
    fraction = f".{ms % 1_000:03}" if ms % 1_000 else ""
    return f"{time.year:04}-{time:%m-%dT%H:%M:%S}{fraction}Z"


def duration_text(ms: int) -> str:
    """Seconds with three digits after the point or none, such as `5400s` or `-0.250s`: JSON of Protocol Buffers."""
    fraction = f".{abs(ms) % 1_000:03}" if ms % 1_000 else ""
    return f"{'-' if ms < 0 else ''}{abs(ms) // 1_000}{fraction}s"
