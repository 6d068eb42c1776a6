"""What the bench reads of a worker's page of metrics."""

import pytest

from fraudbrain_deploy.bench.fast.metrics_page import MetricsPage

PAGE = MetricsPage(
    """# HELP fraudbrain_profiles Profiles in memory.
# TYPE fraudbrain_profiles gauge
fraudbrain_profiles{group="a",worker="w1"} 12.0
fraudbrain_events_total{group="a",worker="w1",end="decisions"} 5.0
fraudbrain_events_total{group="a",worker="w1",end="duplicates"} 2.0
fraudbrain_turn_seconds_bucket{group="a",worker="w1",le="0.01"} 6.0
fraudbrain_turn_seconds_bucket{group="a",worker="w1",le="0.02"} 7.0
fraudbrain_turn_seconds_bucket{group="a",worker="w1",le="0.05"} 7.0
fraudbrain_turn_seconds_bucket{group="a",worker="w1",le="+Inf"} 7.0
fraudbrain_turn_seconds_count{group="a",worker="w1"} 7.0
fraudbrain_slow_seconds_bucket{group="a",worker="w1",le="30.0"} 1.0
fraudbrain_slow_seconds_bucket{group="a",worker="w1",le="+Inf"} 2.0
fraudbrain_gc_pause_seconds_bucket{group="a",worker="w1",le="0.01"} 0.0
fraudbrain_gc_pause_seconds_bucket{group="a",worker="w1",le="+Inf"} 0.0
"""
)


def test_a_metric_is_summed_over_its_labels() -> None:
    assert (PAGE.value("profiles"), PAGE.value("events_total"), PAGE.value("memory_bytes")) == (12.0, 7.0, 0.0)
    assert ("profiles" in PAGE, "memory_bytes" in PAGE) == (True, False)


@pytest.mark.parametrize(("name", "longest_s"), [("turn_seconds", 0.02), ("slow_seconds", float("inf"))])
def test_nothing_was_longer_than_the_first_bound_that_holds_all(name: str, longest_s: float) -> None:
    assert PAGE.longest_s(name) == longest_s


def test_of_what_never_was_nothing_is_said() -> None:
    assert PAGE.longest_s("gc_pause_seconds") is None
