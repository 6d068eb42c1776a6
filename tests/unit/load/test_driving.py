"""Open loop: what is sent late counts as late from the moment at which it was due."""

import numpy as np
import pytest

from fraudbrain_deploy.load.driving import drive
from fraudbrain_deploy.load.schedule import Phase, Schedule, burst, constant
from fraudbrain_deploy.load.stream import StreamEvent

SECOND_NS = 1_000_000_000


class World:
    """A clock that only work and waiting move, and a sink that takes no time but once."""

    def __init__(self, *, stall_at: int = -1, stall_s: float = 0.0, event_s: float = 0.0) -> None:
        self.now_ns = 5 * SECOND_NS
        self.sent_ns: list[int] = []
        self._stall_at, self._stall_s, self._event_s = stall_at, stall_s, event_s

    def clock(self) -> int:
        return self.now_ns

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND_NS)

    def take(self, count: int) -> list[StreamEvent]:
        return [StreamEvent(b"k", b"v", 0)] * count

    def send(self, event: StreamEvent) -> None:
        self.wait(self._stall_s if len(self.sent_ns) == self._stall_at else self._event_s)
        self.sent_ns.append(self.now_ns)

    def late_us(self, schedule: Schedule) -> list[int]:
        begun_ns = self.now_ns + SECOND_NS
        found = drive(schedule, self.take, self.send, self.wait, begun_ns=begun_ns, clock=self.clock)
        assert (np.array(self.sent_ns) >= begun_ns + schedule.due_ns).all(), "an event was sent before it was due"
        return [int(each) for each in found]


def test_who_is_never_held_up_sends_each_event_within_a_tick() -> None:
    late_us = World().late_us(constant(1_000, 2))
    assert len(late_us) == 2_000
    assert max(late_us) <= 1_000


def test_a_sink_that_stalls_makes_every_event_late_that_was_due_meanwhile() -> None:
    late_us = World(stall_at=500, stall_s=1.0).late_us(constant(1_000, 3))
    assert late_us[499] <= 1_000
    # Who counts from the sending would see one late event; a thousand were due in that second.
    assert [late_us[500 + number] // 1_000 for number in (0, 250, 500, 999)] == [1_000, 750, 500, 1]
    assert sum(each >= 500_000 for each in late_us) == 501
    assert max(late_us[1_502:]) <= 1_000


def test_a_sink_that_is_too_slow_thins_out_no_question() -> None:
    late_us = World(event_s=0.002).late_us(constant(1_000, 2))  # it takes 500 a second
    assert len(late_us) == 2_000
    assert late_us[-1] // 1_000 == 2_001
    assert late_us == sorted(late_us)


def test_a_schedule_that_is_cut_ends_with_the_batch_that_is_made() -> None:
    world = World()
    found = drive(
        constant(1_000, 2),
        world.take,
        world.send,
        world.wait,
        begun_ns=world.now_ns,
        most=lambda: 100 if len(world.sent_ns) < 64 else 80,
        clock=world.clock,
    )
    assert len(found) == len(world.sent_ns) == 80


def test_a_burst_is_a_rate_so_many_times_as_much_for_a_while() -> None:
    schedule = burst(10, 1, times=3, burst_s=2)
    assert (schedule.events, schedule.seconds) == (80, 4)
    assert schedule.due_ns[[9, 10, 69, 70]].tolist() == [900_000_000, 1_000_000_000, 2_966_666_667, 3_000_000_000]


@pytest.mark.parametrize("phases", [[], [Phase(0, 1)], [Phase(1, 0)], [Phase(1, 1), Phase(-1, 1)]])
def test_a_load_without_rate_or_time_is_none(phases: list[Phase]) -> None:
    with pytest.raises(ValueError, match="a rate and seconds above 0"):
        Schedule(phases)


def test_phases_follow_one_another() -> None:
    schedule = Schedule([Phase(10, 1), Phase(100, 0.5), Phase(10, 1)])
    assert (schedule.events, schedule.seconds) == (70, 2.5)
    assert schedule.due_ns[[0, 9, 10, 59, 60, 69]].tolist() == [
        0,
        900_000_000,
        1_000_000_000,
        1_490_000_000,
        1_500_000_000,
        2_400_000_000,
    ]
