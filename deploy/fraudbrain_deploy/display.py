"""What several commands show alike."""

import sys
from datetime import UTC, datetime


def status_line(text: str) -> None:
    """One line that rewrites itself, where somebody is watching; standard output is for the result. An empty text
    wipes it away."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def shown_time(time_ms: int) -> str:
    """A time in UTC, to the millisecond."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")[:-6]
