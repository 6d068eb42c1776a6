"""A worker's memory, looked at all the time, so that it can be said afterwards how much it was at what time."""

import threading
from types import TracebackType
from typing import Final, NamedTuple, Self

from fraudbrain_deploy.tiers import Tier
from tests.faults.stage import Memory, now_ms

_EVERY_S: Final = 0.5


class Look(NamedTuple):
    """Resident memory at a moment, UTC ms."""

    at_ms: int
    worker_mib: float
    keeper_mib: float

    @property
    def both_mib(self) -> float:
        """Of the two processes."""
        return self.worker_mib + self.keeper_mib


class MemoryWatch:
    """Looks twice a second in a thread; a context manager."""

    def __init__(self, worker: Tier) -> None:
        self._worker = worker
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory watch", daemon=True)
        self._looks: list[Look] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def most(self, begin_ms: int, end_ms: int) -> Look:
        """The look at which both together had most in a span of time, or the one next to it if it was that short."""
        within = [each for each in self._looks if begin_ms <= each.at_ms < end_ms]
        within = within or [min(self._looks, key=lambda each: abs(each.at_ms - begin_ms))]
        return max(within, key=lambda each: each.both_mib)

    def _run(self) -> None:
        import psutil

        while not self._is_over.wait(_EVERY_S):
            now = Memory()
            try:
                now.look(self._worker)
            except psutil.Error:  # it, or a child of it, has just ended
                continue
            self._looks.append(Look(now_ms(), now.worker_mib, now.keeper_mib))
