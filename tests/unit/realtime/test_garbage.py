"""Garbage is collected while there is nothing to decide, and now and then where there always is."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from fraudbrain_realtime.garbage import BUSY_EVERY_S, IDLE_EVERY_S, GarbageCollection


class Ring:
    """Only the collector frees it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def _afterwards() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize(("is_idle", "every_s"), [(True, IDLE_EVERY_S), (False, BUSY_EVERY_S)])
def test_it_runs_when_it_is_due_and_never_by_itself(is_idle: bool, every_s: float) -> None:
    now = 100.0
    collection = GarbageCollection(lambda: now)
    collection.begin()
    ring = weakref.ref(Ring())
    for _ in range(100_000):
        Ring()
    now += every_s - 1
    collection.turned(is_idle=is_idle)
    assert ring() is not None
    now += 1
    collection.turned(is_idle=is_idle)
    assert ring() is None
