"""How much memory a tree of processes takes at most."""

import threading
from collections.abc import Collection
from typing import Self

_EVERY_S = 0.5
_JOIN_TIMEOUT_S = 5.0


class PeakMemory:
    """Samples the resident memory of processes and all their descendants, in a thread; a context manager.

    The sum of resident sets counts shared pages once for each process: it is an upper bound, and reading
    it does not hold the processes up, as reading proportional sets would. Peaks shorter than the
    half second between two samples are missed.
    """

    def __init__(self, pids: Collection[int]) -> None:
        self.peak_bytes = 0
        self._pids = set(pids)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)

    def watch(self, pids: Collection[int]) -> None:
        """Also these from now on."""
        self._pids = self._pids | set(pids)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(_JOIN_TIMEOUT_S)

    def _sample(self) -> None:
        while not self._over.is_set():
            self.peak_bytes = max(self.peak_bytes, tree_bytes(self._pids))
            self._over.wait(_EVERY_S)


def tree_bytes(pids: Collection[int]) -> int:
    """The resident memory of these processes and their descendants now, each counted once."""
    import psutil

    family: set[psutil.Process] = set()
    for pid in pids:
        try:
            root = psutil.Process(pid)
            family |= {root, *root.children(recursive=True)}
        except psutil.Error:
            continue  # it has ended
    total = 0
    for process in family:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total
