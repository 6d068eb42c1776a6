"""The slow tier comes and goes: the fast tier answers all the same, and the slow one reads what it has missed."""

from typing import TYPE_CHECKING

import pytest

from tests.faults.reference_work import reference_deployed
from tests.faults.slow_tier_stopped import Size, slow_tier_stopped

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings


@pytest.mark.timeout(600)
def test_while_the_slow_tier_starts_and_stops_all_is_answered_and_it_catches_up(
    stack: "StackSettings", space: str
) -> None:
    size = Size(per_s=100, slice_s=2, alternations=1, subjects=1_000, piece_s=1)
    print(slow_tier_stopped(reference_deployed(stack, space), size))
