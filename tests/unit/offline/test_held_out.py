"""What is learnt before a week and judged in it is what was known, and nothing that became known later."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from fraudbrain_offline.dataset import DataSet
from fraudbrain_offline.held_out import WEEK_MS, held_out, learnt_from, stretches
from fraudbrain_offline.validation import Validation, validate
from tests.unit.offline.data_sets import MODEL, data_set
from tests.unit.streaming.archiving import DAY_MS

SEEDS = pytest.mark.parametrize("seed", range(3))


def naively_learnt(data: DataSet, at_ms: int) -> list[str]:
    """Event by event: known by then, and older than 95 of 100 delays that either kind had shown by then."""
    known = [at for at in range(len(data)) if data.event_times[at] < at_ms and data.known_at[at] <= at_ms]
    mature_ms = 0
    for kind in (True, False):
        delays = sorted(int(data.known_at[at] - data.event_times[at]) for at in known if data.fraud[at] == kind)
        if delays:
            mature_ms = max(mature_ms, delays[int(np.ceil(0.95 * (len(delays) - 1)))])
    return [str(data.event_ids[at]) for at in known if data.event_times[at] <= at_ms - mature_ms]


def learnt(data: DataSet, at_ms: int) -> list[str]:
    return [str(name) for name in data.event_ids[learnt_from(data, at_ms)]]


@pytest.mark.parametrize(("days", "weeks"), [(200, 4), (85, 4), (64, 3), (22, 1)])
def test_the_last_weeks_are_held_out_at_most_four_and_a_third_of_the_time(days: int, weeks: int) -> None:
    data = data_set(days=days)
    found = stretches(data)
    assert [stretch.end_ms - stretch.begin_ms for stretch in found] == [WEEK_MS] * weeks
    assert found[-1].end_ms == data.event_times[-1] + 1
    assert all(one.end_ms == next_.begin_ms for one, next_ in pairwise(found))


def test_where_there_is_no_week_the_last_fifth_is_held_out() -> None:
    data = data_set(days=10)
    [stretch] = stretches(data)
    first, end = int(data.event_times[0]), int(data.event_times[-1]) + 1
    assert stretch == (end - (end - first) // 5, end)
    nothing = replace(data, event_times=data.event_times[:0], fraud=data.fraud[:0])
    assert stretches(nothing) == ()


@SEEDS
def test_a_week_is_learnt_for_from_what_was_known_when_it_began(seed: int) -> None:
    data = data_set(seed)
    for begin_ms, _ in stretches(data):
        found = learnt(data, begin_ms)
        assert found == naively_learnt(data, begin_ms)
        assert found


@SEEDS
def test_a_label_read_a_day_early_is_caught(seed: int) -> None:
    """The judge sees the true times; whoever reads labels a day before they are known learns from other events."""
    data = data_set(seed)
    early = replace(data, known_at=data.known_at - DAY_MS)
    for begin_ms, _ in stretches(data):
        assert set(learnt(early, begin_ms)) - set(naively_learnt(data, begin_ms))


@SEEDS
def test_what_turns_out_later_changes_nothing_of_what_was_learnt(seed: int) -> None:
    data = data_set(seed)
    for begin_ms, _ in stretches(data):
        otherwise = replace(data, fraud=data.fraud ^ (data.known_at > begin_ms))
        rows = learnt_from(data, begin_ms)
        assert (rows == learnt_from(otherwise, begin_ms)).all()
        assert (data.fraud[rows] == otherwise.fraud[rows]).all()


def test_a_label_that_claims_to_be_known_before_its_event_is_not_used_before_it() -> None:
    data = data_set()
    last = stretches(data)[-1]
    planted = np.where(data.event_times >= last.begin_ms, 0, data.known_at)
    assert validate(replace(data, known_at=planted), MODEL) == validate(data, MODEL) != Validation()


@SEEDS
def test_cards_whose_fraud_was_known_are_not_judged(seed: int) -> None:
    data = data_set(seed)
    for stretch in stretches(data):
        known = data.fraud & (data.event_times < stretch.begin_ms) & (data.known_at <= stretch.begin_ms)
        blocked = set(data.subjects[known].tolist())
        expected = [
            at
            for at in range(len(data))
            if stretch.begin_ms <= data.event_times[at] < stretch.end_ms and str(data.subjects[at]) not in blocked
        ]
        assert held_out(data, stretch).tolist() == expected
        assert blocked
