"""What breaks when, and what it is said to have cost."""

from collections import Counter

from fraudbrain_deploy.faults import kinds
from fraudbrain_deploy.faults.checker import Repeat, Timing
from fraudbrain_deploy.faults.injection import Injected
from fraudbrain_deploy.faults.report import costs
from fraudbrain_deploy.faults.schedule import draw


def test_the_same_seed_breaks_the_same_at_the_same_time() -> None:
    assert draw(1, kinds.KINDS, kills=10, stops=4) == draw(1, kinds.KINDS, kills=10, stops=4)
    assert draw(1, kinds.KINDS, kills=10, stops=4) != draw(2, kinds.KINDS, kills=10, stops=4)


def test_as_many_are_killed_and_stopped_as_was_asked_for_within_the_time() -> None:
    schedule = draw(3, kinds.KINDS, kills=100, stops=30)
    counts = Counter(fault.kind for fault in schedule.faults)
    assert (counts[kinds.KILL], counts[kinds.STOP]) == (100, 30)
    assert all(counts[kind] > 0 for kind in (kinds.BROKER, kinds.HBASE, kinds.HALF_OPEN, kinds.THRIFT_SLOW))
    assert all(fault.at_s < schedule.seconds for fault in schedule.faults)
    assert all(3 <= fault.lasts_s <= 10 for fault in schedule.faults if fault.kind == kinds.STOP)


def test_only_what_was_named_breaks() -> None:
    assert {fault.kind for fault in draw(3, [kinds.KILL, kinds.POISON], kills=2, stops=2).faults} == {kinds.KILL}


def timing() -> Timing:
    """Group a decides every second but for 11 s after 10 s; group b always."""
    found = Timing()
    for second in range(40):
        found.decided("b", 0, second * 1000)
        if not 10 < second < 21:
            found.decided("a", 0, second * 1000)
    return found


def test_a_takeover_is_the_time_without_a_decision_around_a_kill() -> None:
    kill = Injected(kinds.KILL, "a/w1", 10_100, 10_100, "a")
    found = costs([kill], timing(), ["a", "b"])
    assert found.takeover_s is not None
    assert found.any_group_s is not None
    assert (found.takeover_s.most, found.any_group_s.most) == (11.0, 1.0)


def test_what_is_repeated_is_told_by_its_only_cause() -> None:
    kill = Injected(kinds.KILL, "a/w1", 10_100, 10_100, "a")
    stop = Injected(kinds.STOP, "a/w1", 30_000, 35_000, "a")
    other = Injected(kinds.KILL, "b/w1", 11_000, 11_000, "b")
    found = timing()
    found.repeats += [
        Repeat("a", 0, 9_500, 21_000),
        Repeat("a", 0, 10_000, 21_001),
        Repeat("a", 0, 9_900, 36_000),
        Repeat("a", 0, 29_000, 36_000),
        Repeat("a", 0, 22_000, 23_000),
    ]
    said = costs([kill, stop, other], found, ["a", "b"])
    assert said.repeats == {kinds.KILL: 2, "several": 1, kinds.STOP: 1, "nothing": 1}
    assert said.repeated_age_s is not None
    assert said.repeated_age_s.most == 0.6
    assert said.kills_over_bound == 0


def test_a_kill_that_repeats_what_was_long_done_is_over_the_bound() -> None:
    kill = Injected(kinds.KILL, "a/w1", 10_100, 10_100, "a")
    found = timing()
    found.repeats.append(Repeat("a", 0, 2_000, 21_000))
    assert costs([kill], found, ["a"]).kills_over_bound == 1
