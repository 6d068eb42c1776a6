"""Being told to stop: Ctrl-C, SIGTERM and a closed terminal end a command in the same orderly way."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CLEANUP_S = 60.0
"""How long what was started may take to be stopped again, undisturbed by further signals."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Within it the first of these signals raises KeyboardInterrupt, and nothing disturbs the cleaning up after it.

    An impatient second Ctrl-C would leave processes behind. After `CLEANUP_S` signals count again, so
    that nobody is locked in. Where the cleaning up fails, that is the interrupt's `__cause__`. To be entered
    once, by the main thread.
    """
    interrupted_at: float | None = None

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted_at
        now = time.monotonic()
        if interrupted_at is None or now - interrupted_at > CLEANUP_S:
            interrupted_at = now
            raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    except Exception as error:
        if interrupted_at is None:
            raise
        raise KeyboardInterrupt from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within it these signals do nothing: for cleaning up, which must be short and have an end."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
