"""A breaker: no longer asks a part that keeps failing, and tries it again from time to time."""

from collections import deque
from random import Random
from typing import Final

from fraudbrain_realtime.ports import Clock

WINDOW_S: Final = 1.0
FEWEST_CALLS: Final = 20
FAILED_SHARE: Final = 0.5
PROBE_S: Final = 0.5
JITTER: Final = 0.2


class Breaker:
    """Open, it admits nothing for half a second and then one call, whose ending decides how it goes on.

    It opens when half of at least 20 calls within a second failed. The half second is up to a fifth longer, so that
    not all workers try in the same moment.
    """

    def __init__(self, clock: Clock, rng: Random | None = None) -> None:
        self._clock = clock
        self._rng = Random() if rng is None else rng
        self._calls: deque[tuple[float, bool]] = deque()
        self._failed = 0
        self._probe_s: float | None = None

    @property
    def is_closed(self) -> bool:
        """Whether every call is admitted."""
        return self._probe_s is None

    def admits(self) -> bool:
        """Whether a call may be made; if so its ending is to be told."""
        return self._probe_s is None or self._clock() >= self._probe_s

    def succeeded(self) -> None:
        """The call was answered."""
        if self._probe_s is not None:
            self._probe_s = None
            self._calls.clear()
            self._failed = 0
        self._count(failed=False)

    def failed(self) -> None:
        """The call was not answered."""
        self._count(failed=True)
        if self._probe_s is not None or self._fails_too_often():
            self._probe_s = self._clock() + PROBE_S * (1 + JITTER * self._rng.random())

    def _count(self, *, failed: bool) -> None:
        now = self._clock()
        self._calls.append((now, failed))
        self._failed += failed
        while self._calls[0][0] < now - WINDOW_S:
            self._failed -= self._calls.popleft()[1]

    def _fails_too_often(self) -> bool:
        return len(self._calls) >= FEWEST_CALLS and self._failed >= FAILED_SHARE * len(self._calls)
