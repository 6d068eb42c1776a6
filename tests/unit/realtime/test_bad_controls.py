"""A few of each kind of bad control; `make prove CLAIM=bad-controls` tries many."""

import pytest

from tests.unit.realtime.bad_controls import KINDS, try_all
from tests.unit.realtime.controls_of_cards import controls


@pytest.mark.parametrize("topic", KINDS)
def test_no_bad_control_acts_or_raises_and_each_has_its_cause(topic: str) -> None:
    tried, accepted = try_all(controls, KINDS[topic], per_kind=8)
    assert tried.total() == 8 * len(KINDS[topic])
    assert accepted.total() < tried.total() / 2
