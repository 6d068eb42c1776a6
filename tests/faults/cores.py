"""Processes kept to cores of their own: with all their threads, and all that these start from then on."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

Cores = frozenset[int]


class Apart(NamedTuple):
    """Two groups of processes: those named keep to `first`, this one with all others that it starts to `second`. Both
    are the same where the machine has only one core."""

    first: Cores
    second: Cores

    @property
    def is_pinned(self) -> bool:
        """Whether there are cores to choose from."""
        return self.first != self.second

    def put_first(self, pids: Collection[int]) -> None:
        """These with their descendants keep to the first core."""
        _pin(pids, self.first)

    def check(self, pids: Collection[int], cores: Cores) -> None:
        """Raises AssertionError where a thread of theirs or of a descendant may run elsewhere."""
        for thread in _threads(pids):
            with suppress(ProcessLookupError):
                assert os.sched_getaffinity(thread) == cores, f"thread {thread} was to keep to {set(cores)}"


@contextmanager
def kept_apart(pids: Collection[int]) -> Iterator[Apart]:
    """These processes to one core, this one to another, until the block ends; what was started meanwhile may then run
    where this one might before."""
    before = frozenset(os.sched_getaffinity(0))
    one, other = sorted(before)[0], sorted(before)[-1]
    apart = Apart(frozenset({one}), frozenset({other}))
    try:
        _pin([os.getpid()], apart.second)
        _pin(pids, apart.first)
        yield apart
    finally:
        _pin([os.getpid(), *pids], before)


def _pin(pids: Collection[int], cores: Cores) -> None:
    """Until a look finds nobody new: a thread that starts inherits what its starter was allowed then."""
    done: set[int] = set()
    while new := _threads(pids) - done:
        for thread in new:
            with suppress(ProcessLookupError):  # it has ended
                os.sched_setaffinity(thread, cores)
        done |= new


def _threads(pids: Collection[int]) -> set[int]:
    """Of these processes and their descendants, by the numbers that the kernel knows them by."""
    import psutil

    family: set[int] = set()
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            family |= {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    found: set[int] = set()
    for pid in family:
        with suppress(FileNotFoundError, ProcessLookupError):
            found |= {int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()}
    return found
