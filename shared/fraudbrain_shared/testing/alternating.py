"""Measuring side by side: A B C A B C …, so that whatever disturbs the machine disturbs all alike.

Time is this process's own processor time: while others use the machine it differs little from round to round, where
the wall clock's differs fivefold. It is right as long as nothing that is measured waits.
"""

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

Work = Callable[[], object]
"""Does what is measured, once for each of the cases."""
Tell = Callable[[str], None]
"""Hears how far a measurement is."""


def alternate(
    works: Mapping[str, Work], *, cases: int, rounds: int, slice_s: float, tell: Tell = lambda _: None
) -> dict[str, list[float]]:
    """Microseconds per case of each work, for each round.

    A work runs at least `slice_s` a round, as often as its first, uncounted run says. Many short rounds
    beat few long ones where others use the machine too.
    """
    with undisturbed():
        repeats = {name: max(1, round(slice_s / _seconds(work, 1))) for name, work in works.items()}
        found: dict[str, list[float]] = {name: [] for name in works}
        for number in range(1, rounds + 1):
            tell(f"round {number} of {rounds}")
            for name, work in works.items():
                found[name].append(_seconds(work, repeats[name]) / repeats[name] / cases * 1e6)
    return found


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the rounds' ratios: the two figures of a round were taken within moments."""
    return median(one / other for one, other in zip(above, below, strict=True))


def _seconds(work: Work, repeats: int) -> float:
    begun = time.process_time()
    for _ in range(repeats):
        work()
    return time.process_time() - begun


@contextmanager
def undisturbed() -> Iterator[None]:
    """Without garbage collection, as a worker runs; what was there before is left out of later ones."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
