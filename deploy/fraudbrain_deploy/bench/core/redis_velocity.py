"""Velocity as it is kept in Redis: sorted sets of payments, one for each window, a round trip an event."""

from collections.abc import Sequence
from typing import Final
from uuid import uuid4

import redis
from redis.utils import HIREDIS_AVAILABLE

from fraudbrain_deploy.bench.core.stream import DAY_MS
from fraudbrain_shared.admission import AdmittedEvent

WINDOWS_MS: Final = {"1h": DAY_MS // 24, "1d": DAY_MS, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS}


class RedisVelocity:
    """Count and sum of a subject's payments over four windows.

    For each event one pipeline without a transaction: for each window the payment is added to a sorted set by its
    time, what is older goes, the rest is counted, a running sum is moved on, and both keys expire. That is less than
    we do: the sum never forgets a payment, which would take another round trip; nothing is said of means, maxima,
    conditions and duplicates.
    """

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._prefix = uuid4().hex[:8]  # its own keys

    @property
    def versions(self) -> dict[str, str]:
        """Of the server and of its client."""
        parser = "hiredis" if HIREDIS_AVAILABLE else "without hiredis"
        return {"Redis": str(self._client.info("server")["redis_version"]), "redis-py": f"{redis.__version__} {parser}"}

    def update(self, events: Sequence[tuple[str, AdmittedEvent]]) -> None:
        """A round trip for each event, with its subject."""
        pipeline = self._client.pipeline(transaction=False)
        for subject, event in events:
            time, amount = event.event_time, event.fields.amount  # type: ignore[attr-defined]
            for window, length_ms in WINDOWS_MS.items():
                key = f"{self._prefix}:{subject}:{window}"
                pipeline.zadd(key, {event.event_id: time})
                pipeline.zremrangebyscore(key, 0, time - length_ms)
                pipeline.zcard(key)
                pipeline.expire(key, length_ms // 1000)
                pipeline.incrby(f"{key}:sum", amount)
                pipeline.expire(f"{key}:sum", length_ms // 1000)
            pipeline.execute()

    def close(self) -> None:
        self._client.close()
