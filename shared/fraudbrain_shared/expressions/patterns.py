"""Regular expressions of RE2: whatever the pattern, time grows with the text's length only."""

from dataclasses import dataclass, field
from typing import Protocol

import re2  # type: ignore[import-untyped]

MAX_PATTERN_LENGTH = 256
MAX_PATTERN_SIZE = 10_000


class _Compiled(Protocol):
    """What we use of a pattern that the library compiled; it has no types of its own."""

    programsize: int

    def search(self, text: bytes) -> object | None: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern; `size` counts the instructions it became."""

    text: str
    size: int
    compiled: _Compiled = field(compare=False, repr=False)

    def is_in(self, text: str) -> bool:
        """Is there a match anywhere in `text`? Half a surrogate pair, which no text should hold, counts as `?`."""
        return self.compiled.search(text.encode(errors="replace")) is not None


def pattern_of(text: str) -> Pattern:
    """The compiled pattern; ValueError says why `text` is none, or that it is too large."""
    if len(text) > MAX_PATTERN_LENGTH:
        raise ValueError(f"the pattern has {len(text)} characters; {MAX_PATTERN_LENGTH} are allowed")
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        # Bytes in, bytes searched: for text the library counts the characters before every match, which takes longer.
        compiled: _Compiled = re2.compile(text.encode(), options)
    except re2.error as error:
        reason = error.args[0]
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from None
    if compiled.programsize > MAX_PATTERN_SIZE:
        raise ValueError(
            f"the pattern repeats too much: {compiled.programsize:,} steps; {MAX_PATTERN_SIZE:,} are allowed"
        )
    return Pattern(text, compiled.programsize, compiled)
