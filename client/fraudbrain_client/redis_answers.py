"""Decisions in Redis, asked for by the ids of events while somebody waits for them."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from fraudbrain_client.waiting import Identity, Waiting
from fraudbrain_shared.records import Decision
from fraudbrain_shared.topics import Names

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 0.02
_ASK_EVERY_S: Final = 0.002
_TRY_AGAIN_S: Final = 0.5
_TRUSTED_AFTER_S: Final = 10.0
_MOST_AT_ONCE: Final = 1_000


class RedisAnswers:
    """Asks for all decisions that are waited for, together, every other millisecond.

    `on_away` is called when Redis does not answer, `on_back` once it has answered for ten seconds.
    """

    def __init__(
        self, url: str, names: Names, waiting: Waiting, *, on_away: Callable[[], None], on_back: Callable[[], None]
    ) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._names = names
        self._waiting = waiting
        self._on_away, self._on_back = on_away, on_back
        self._away_s: float | None = None
        self._decode = msgspec.json.Decoder(Decision).decode
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fraudbrain-client-redis", daemon=True)

    def start(self) -> None:
        """Connects, and asks from now on."""
        self._ask([])
        self._thread.start()

    def decision_of(self, identity: Identity) -> Decision | None:
        """The decision if Redis has it, and answers."""
        try:
            found = self._redis.get(self._names.answer(*identity))
        except RedisError:
            return None
        return self._decision(found)

    def close(self) -> None:
        """Asks no more."""
        self._ended.set()
        self._thread.join()
        self._redis.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            open_ = self._waiting.still_open(_TRY_AGAIN_S)
            if open_:
                parts = (open_[start : start + _MOST_AT_ONCE] for start in range(0, len(open_), _MOST_AT_ONCE))
                self._ended.wait(_ASK_EVERY_S if all(map(self._ask, parts)) else _TRY_AGAIN_S)

    def _ask(self, identities: list[Identity]) -> bool:
        """Hands on what has come of these decisions; whether Redis answered."""
        try:
            if identities:
                for found in self._redis.mget([self._names.answer(*each) for each in identities]):
                    decision = self._decision(found)
                    if decision is not None:
                        self._waiting.came(decision)
            else:
                self._redis.ping()
        except RedisError as error:
            self._is_away(error)
            return False
        self._is_there()
        return True

    def _decision(self, found: object) -> Decision | None:
        try:
            return self._decode(found) if isinstance(found, bytes) else None
        except msgspec.DecodeError:
            log.warning("what Redis holds is no decision")
            return None

    def _is_away(self, error: RedisError) -> None:
        if self._away_s is None:
            log.warning("Redis does not answer (%s): decisions are read from their topic", type(error).__name__)
            self._on_away()
        self._away_s = time.monotonic()

    def _is_there(self) -> None:
        if self._away_s is not None and time.monotonic() - self._away_s > _TRUSTED_AFTER_S:
            self._away_s = None
            self._on_back()
