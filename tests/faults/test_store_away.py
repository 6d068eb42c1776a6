"""HBase away under load: everything is decided, and exact when it is back."""

from typing import TYPE_CHECKING

import pytest

from tests.faults.stage import deployed
from tests.faults.store_away import Size, store_away, store_away_at_the_bound

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings


def test_without_its_store_a_worker_decides_all_and_profiles_are_exact_when_it_is_back(
    stack: "StackSettings", space: str
) -> None:
    size = Size(per_s=300, away_s=20, hot=200, away=1_000, profiles=800, healthy_s=3)
    told = store_away(deployed(stack, space), size, seed=1)
    print(told)
    assert told["most_held"]


@pytest.mark.timeout(600)
def test_at_its_bound_a_worker_takes_no_more_and_says_so_until_the_store_is_back(
    stack: "StackSettings", space: str
) -> None:
    size = Size(per_s=300, away_s=60, hot=200, away=1_000, profiles=800, share_away=0.5)
    told = store_away_at_the_bound(deployed(stack, space), size, held=200, paused_s=3, seed=2)
    print(told)
    assert told["decided_only_after_its_return"]
