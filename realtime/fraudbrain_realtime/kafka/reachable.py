"""Waiting for the log at a start: a worker may be started before its broker is."""

import logging
import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from fraudbrain_realtime.kafka.failure import BrokerFailed

START_TIMEOUT_S: Final = 60.0
"""Longer rides out a longer start of the broker; shorter tells sooner that the address is wrong."""
_ANSWER_S: Final = 2.0

log = logging.getLogger(__name__)


def wait_for_broker(bootstrap: str, stopping: Callable[[], bool], within_s: float = START_TIMEOUT_S) -> bool:
    """Waits until a broker answers; whether one does, or we were told to stop. Raises BrokerFailed after `within_s`."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})  # every refused attempt would be a line
    deadline = time.monotonic() + within_s
    is_told = False
    while not stopping():
        try:
            admin.describe_cluster(request_timeout=_ANSWER_S).result(timeout=2 * _ANSWER_S)
        except (KafkaException, TimeoutError):
            if time.monotonic() >= deadline:
                raise BrokerFailed(f"no broker answered at {bootstrap} within {within_s:.0f} s") from None
            if not is_told:
                log.warning("waiting for a broker at %s, at most %.0f s", bootstrap, within_s)
                is_told = True
        else:
            return True
    return False
