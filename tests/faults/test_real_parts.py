"""A small campaign with every kind of fault, on a broker and a store of its own."""

from pathlib import Path

import pytest

from fraudbrain_deploy.faults.campaign import Wishes, campaign
from fraudbrain_deploy.faults.kinds import KINDS
from fraudbrain_deploy.steps import Steps


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_counted_twice_whatever_breaks(tmp_path: Path) -> None:
    wishes = Wishes(events=8_000, kills=3, stops=1, seed=4, kinds=tuple(KINDS), groups=2)
    report = campaign(tmp_path, wishes, Steps())
    assert report.examples == {}
    assert report.clean
    assert report.events == wishes.events
    assert report.faults["kill"] == 3
    assert report.endings["decided"] > 4_000
    assert report.endings["profiles"] > 1_000
