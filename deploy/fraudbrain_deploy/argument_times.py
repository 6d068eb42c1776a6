"""Times as options of commands take them, and as they are told."""

import argparse
from datetime import UTC, datetime


def time_ms(text: str) -> int:
    """UTC ms of a time such as 2026-07-01T12:00, which is UTC unless it names a zone. Made for argparse."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a time such as 2026-07-01T12:00, not {text!r}") from error
    return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp() * 1000)


def moment(ms: int) -> str:
    """A time (UTC ms) as `time_ms` takes it, to the second."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
