from itertools import pairwise

import pytest

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.replaying.pace import AtRate, InSteps, pace_from, refuse_long_steps
from fraudbrain_deploy.replaying.schedule import Step, schedule
from fraudbrain_shared.scenario.load import load_scenario

HOUR = 3_600_000
DAY = 24 * HOUR


def test_the_first_step_begins_at_midnight_and_the_last_holds_the_last_event() -> None:
    steps = list(schedule(5 * DAY + 9 * HOUR, 7 * DAY, DAY))
    assert steps == [Step(0, 5 * DAY, 6 * DAY), Step(1, 6 * DAY, 7 * DAY), Step(2, 7 * DAY, 8 * DAY)]


def test_steps_without_any_event_are_steps() -> None:
    steps = schedule(0, 10 * DAY + 1, DAY)
    assert len(steps) == len(list(steps)) == 11


def test_offline_work_that_is_due_ends_a_step_early_and_the_grid_of_the_others_stays() -> None:
    steps = list(schedule(0, 3 * DAY, 10 * HOUR, train_every_ms=DAY))
    assert [step.end_ms // HOUR for step in steps] == [10, 20, 24, 30, 40, 48, 50, 60, 70, 72, 80]
    assert [step.end_ms // HOUR for step in steps if step.trains] == [24, 48, 72]
    assert [step.number for step in steps] == list(range(11))
    assert all(before.end_ms == after.start_ms for before, after in pairwise(steps))


def test_offline_work_due_where_a_step_ends_anyhow_cuts_nothing() -> None:
    steps = list(schedule(0, 13 * DAY, DAY, train_every_ms=7 * DAY))
    assert [step.end_ms // DAY for step in steps if step.trains] == [7, 14]
    assert len(steps) == 14


def test_a_short_period_of_offline_work_may_fall_due_many_times_within_one_step() -> None:
    steps = list(schedule(0, DAY - 1, DAY, train_every_ms=6 * HOUR))
    assert [(step.end_ms // HOUR, step.trains) for step in steps] == [(6, True), (12, True), (18, True), (24, True)]


@pytest.mark.parametrize(
    ("text", "pace"),
    [("max", None), ("500", AtRate(500.0)), ("1e3", AtRate(1000.0)), ("1d", InSteps(DAY)), ("30s", InSteps(30_000))],
)
def test_a_pace_is_all_at_once_a_rate_or_steps(text: str, pace: object) -> None:
    assert pace_from(text) == pace


@pytest.mark.parametrize("text", ["", "0", "-5", "fast", "nan", "1 d", "d1"])
def test_anything_else_is_no_pace(text: str) -> None:
    with pytest.raises(ValueError):
        pace_from(text)


def test_a_step_is_refused_in_which_a_parameter_could_expire_unseen() -> None:
    cards = load_scenario("cards")
    shortest = min(each.tuning.expires_ms for each in cards.parameters.values() if each.tuning)
    refuse_long_steps(cards, shortest // 2)
    with pytest.raises(UserError, match=r"Steps of .* are too long: the parameter \w+ expires after .*\n.*--pace"):
        refuse_long_steps(cards, shortest // 2 + 1)
