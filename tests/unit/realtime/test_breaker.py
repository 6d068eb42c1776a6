from random import Random

import pytest

from fraudbrain_realtime.stores.breaker import FEWEST_CALLS, JITTER, PROBE_S, Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock, Random(0))


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed()


def test_it_opens_when_half_of_enough_calls_failed(breaker: Breaker) -> None:
    fail(breaker, FEWEST_CALLS // 2)
    for _ in range(FEWEST_CALLS // 2 - 1):
        breaker.succeeded()
    assert breaker.admits()
    breaker.failed()
    assert not breaker.admits()


def test_failures_of_long_ago_count_no_more(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FEWEST_CALLS - 1)
    clock.now += 1.1
    breaker.failed()
    assert breaker.admits()


def test_after_a_while_one_call_tells_whether_it_stays_open(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FEWEST_CALLS)
    for _ in range(3):
        assert not breaker.admits()
        clock.now += PROBE_S * (1 + JITTER)
        assert breaker.admits()
        breaker.failed()
    clock.now += PROBE_S * (1 + JITTER)
    breaker.succeeded()
    assert breaker.admits()
    fail(breaker, FEWEST_CALLS // 2)
    assert breaker.admits()
