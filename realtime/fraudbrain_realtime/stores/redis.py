"""Recent decisions in Redis, for whoever asks for one by its event's id. Nothing depends on it."""

import logging
import time
from collections.abc import Mapping
from typing import Final

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from fraudbrain_realtime.ports import Clock
from fraudbrain_realtime.stores.breaker import Breaker

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 0.03
"""For a put. Longer: a Redis that hangs keeps the keeper longer from flushing, until the breaker opens. Shorter: on a
busy machine answers are given up that would have come."""
KEPT_S: Final = 900
COMPLAIN_EVERY_S: Final = 60.0


class RedisAnswers:
    """Decisions by key, for a quarter of an hour. The first that is put under a key stays, as for every reader."""

    def __init__(self, url: str, clock: Clock = time.monotonic) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._clock = clock
        self._breaker = Breaker(clock)
        self._complain_s = 0.0

    def put(self, decisions: Mapping[str, bytes]) -> None:
        """Puts them there if Redis answers at once."""
        if not self._breaker.admits():
            return
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                for key, decision in decisions.items():
                    pipeline.set(key, decision, nx=True, ex=KEPT_S)
                pipeline.execute()
        except RedisError as error:
            self._breaker.failed()
            self._complain(error)
        else:
            self._breaker.succeeded()

    def _complain(self, error: RedisError) -> None:
        if self._clock() >= self._complain_s:
            log.warning("decisions are not to be had by id: Redis: %s", type(error).__name__)
            self._complain_s = self._clock() + COMPLAIN_EVERY_S
