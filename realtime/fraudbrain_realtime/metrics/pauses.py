"""How long the garbage collector stops the process."""

import gc
import time

from fraudbrain_realtime.metrics.histogram import Histogram


class Pauses:
    """Measures every collection from `watch` on."""

    def __init__(self) -> None:
        self.seconds = Histogram()
        self._begun_s = 0.0

    def watch(self) -> None:
        gc.callbacks.append(self._collecting)

    def _collecting(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._begun_s = time.perf_counter()
        else:
            self.seconds.observe(time.perf_counter() - self._begun_s)
