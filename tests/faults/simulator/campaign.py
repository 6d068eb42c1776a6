"""Many seeds, in several processes; and the mutants, each until it is killed."""

import logging
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import Final, NamedTuple, TypeVar

from tests.faults.simulator.mutants import MUTANTS, mutated
from tests.faults.simulator.run import run

T = TypeVar("T")
R = TypeVar("R")

SEEDS_AT_ONCE: Final = 250
KILLED_WITHIN: Final = 3_000


class Failure(NamedTuple):
    """A seed and what is wrong after its run."""

    seed: int
    wrong: list[str]


class Killed(NamedTuple):
    """A mutant and the first seed that shows what is wrong with it, after how many; or None if none did."""

    name: str
    failure: Failure | None
    tried: int


def failures(seeds: Sequence[int], processes: int, done: Callable[[int], None]) -> list[Failure]:
    """Of these seeds those that fail. `done` hears how many more are."""
    pieces = [seeds[at : at + SEEDS_AT_ONCE] for at in range(0, len(seeds), SEEDS_AT_ONCE)]
    found: list[Failure] = []
    for tried, failed in _each(_run_all, pieces, processes):
        found += failed
        done(tried)
    return sorted(found)


def kills(start: int, processes: int) -> Iterator[Killed]:
    """Each mutant, as they are done, on the seeds from `start` on."""
    return _each(_kill, [(name, start) for name in MUTANTS], processes)


def _run_all(seeds: Sequence[int]) -> tuple[int, list[Failure]]:
    return len(seeds), [Failure(seed, wrong) for seed in seeds if (wrong := run(seed))]


def _kill(task: tuple[str, int]) -> Killed:
    name, start = task
    with mutated(name):
        for tried in range(KILLED_WITHIN):
            if wrong := run(start + tried):
                return Killed(name, Failure(start + tried, wrong), tried + 1)
    return Killed(name, None, KILLED_WITHIN)


def _each(work: Callable[[T], R], tasks: Sequence[T], processes: int) -> Iterator[R]:
    """What comes of the tasks, in whatever order they are done."""
    if processes == 1:
        quiet()
        yield from map(work, tasks)
        return
    with get_context("fork").Pool(processes, initializer=quiet) as pool:
        yield from pool.imap_unordered(work, tasks)


def quiet() -> None:
    """The real code warns of what is done to it, thousands of times."""
    logging.disable(logging.CRITICAL)
