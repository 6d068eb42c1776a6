"""When the garbage collector runs: it stops the worker, so while there is nothing to decide.

What an event leaves behind is freed without it. It finds what is left of errors and of clients that were replaced.
"""

import gc
from typing import Final

from fraudbrain_realtime.ports import Clock

IDLE_EVERY_S: Final = 5.0
BUSY_EVERY_S: Final = 60.0
"""So long it may be put off while events come without a pause."""


class GarbageCollection:
    """Collects when told how it stands."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_s = 0.0

    def begin(self) -> None:
        """From now on nothing is collected by itself. What was built so far lives as long as the worker: it is never
        searched."""
        gc.collect()
        gc.freeze()
        gc.disable()
        self._last_s = self._clock()

    def turned(self, *, is_idle: bool) -> None:
        """A turn ended in which no event came, or one did."""
        if self._clock() - self._last_s >= (IDLE_EVERY_S if is_idle else BUSY_EVERY_S):
            gc.collect()
            self._last_s = self._clock()
