"""More comes than can be decided: everything is decided all the same, in order, and marked where it was too late."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.overload import Size, overload
from tests.faults.reference_work import reference_deployed

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings


@pytest.mark.timeout(600)
def test_an_overloaded_worker_decides_all_in_order_and_whoever_asks_gets_a_decision_or_the_safe_default(
    stack: "StackSettings", space: str
) -> None:
    size = Size(fill=20_000, burst_s=3, healthy_s=2, subjects=5_000, patience_s=300)
    told: dict[str, Any] = overload(reference_deployed(stack, space), size)
    print(told)
    assert told["decisions"]["overdue"]
