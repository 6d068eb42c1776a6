"""Two groups stand in for each other; a clean restart is noticed by nobody but as a gap."""

from typing import TYPE_CHECKING

from tests.faults.groups import clean_restart, one_group_killed
from tests.faults.stage import deployed

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings


def test_with_one_of_two_groups_killed_no_event_is_without_a_decision(stack: "StackSettings", space: str) -> None:
    told = one_group_killed(deployed(stack, space), workers=1, per_s=300, healthy_s=6, away_s=4, seed=1)
    print(told)
    assert told["decided_by_both_groups"]


def test_a_clean_restart_loses_no_decision_and_makes_none_twice(stack: "StackSettings", space: str) -> None:
    told = clean_restart(deployed(stack, space), per_s=200, healthy_s=2, seed=1)
    print(told)
    assert told["decided"]
