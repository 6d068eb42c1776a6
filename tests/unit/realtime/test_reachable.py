"""Waiting for a broker has an end."""

import pytest

from fraudbrain_realtime.kafka.failure import BrokerFailed
from fraudbrain_realtime.kafka.reachable import wait_for_broker


def test_a_broker_that_never_comes_is_waited_for_and_then_told(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(BrokerFailed, match=r"no broker answered at 127\.0\.0\.1:9 within 3 s"):
        wait_for_broker("127.0.0.1:9", lambda: False, within_s=3)
    assert caplog.messages == ["waiting for a broker at 127.0.0.1:9, at most 3 s"]


def test_who_is_told_to_stop_waits_no_longer() -> None:
    asked = iter([False, True])
    assert wait_for_broker("127.0.0.1:9", lambda: next(asked)) is False
