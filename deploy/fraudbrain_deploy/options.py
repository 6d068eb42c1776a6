"""What options of several commands are made of, each with the error that says what is expected."""

import argparse
from datetime import UTC, datetime


def at_least_one(text: str) -> int:
    """A count of something that must be."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"a number above 0, not {text!r}")
    return int(text)


def natural(text: str) -> int:
    """A count that may be 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"0 or a number above, not {text!r}")
    return int(text)


def time_ms(text: str) -> int:
    """A time in UTC ms; one without a zone is UTC."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a time such as 2026-07-01T12:00, not {text!r}") from error
    return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp() * 1000)
