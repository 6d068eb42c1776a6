"""How the tiers' processes log: to standard error, as lines for people or as JSON, a line each, for programs.

No line holds a value of an event: whoever writes one names topics, offsets, fields and versions.
"""

import argparse
import logging
import sys
from datetime import UTC, datetime
from typing import Final

import msgspec

TEXT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")


def add_log_arguments(parser: argparse.ArgumentParser) -> None:
    """`--log-level` and `--log-format`."""
    parser.add_argument("--log-level", default="info", choices=LEVELS, help="least level that is logged (info)")
    parser.add_argument("--log-format", default="text", choices=FORMATS, help="lines for people or for programs (text)")


def set_up(level: str, form: str, **always: str) -> None:
    """Logs to standard error from now on; `always` are further fields of each JSON line, such as the worker's name."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines(always) if form == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class _JsonLines(logging.Formatter):
    """A record as one line of JSON; `time` is UTC in ISO 8601."""

    def __init__(self, always: dict[str, str]) -> None:
        super().__init__()
        self._always = always

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": time,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._always,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()
