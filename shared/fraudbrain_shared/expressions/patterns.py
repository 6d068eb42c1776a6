"""Regular expressions of RE2: whatever the pattern, time grows with the text's length only."""

from typing import Protocol

import re2  # type: ignore[import-untyped]

MAX_PATTERN_LENGTH = 256


class Pattern(Protocol):
    """A compiled pattern; the library has no types of its own."""

    def search(self, text: str) -> object | None: ...


def pattern_of(text: str) -> Pattern:
    """The compiled pattern; ValueError says why `text` is none."""
    if len(text) > MAX_PATTERN_LENGTH:
        raise ValueError(f"the pattern has {len(text)} characters; {MAX_PATTERN_LENGTH} are allowed")
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        pattern: Pattern = re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0]
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from None
    return pattern


def matches(pattern: Pattern, text: str) -> bool:
    """Is there a match anywhere in `text`? Half a surrogate pair, which no text should hold, counts as `?`."""
    try:
        return pattern.search(text) is not None
    except UnicodeEncodeError:
        return pattern.search(text.encode(errors="replace").decode()) is not None
