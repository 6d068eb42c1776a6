"""Promotion: the registry's alias `champion` is the wish, the topic `models` is what decides.

A step looks where the two differ, checks the release that is wished for, and publishes it or refuses it. It
can be broken off anywhere and taken again: it always starts from what registry and topic say.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol

import msgspec

from fraudbrain_offline.registry import ModelVersion
from fraudbrain_shared.models import ReleaseError, open_release
from fraudbrain_shared.models.registered import CHAMPION, PUBLISHED, REFUSED, RELEASE, SHA256
from fraudbrain_shared.scenario.description import Parameter
from fraudbrain_shared.topics import MODEL_RECORD_BYTES

_KEY: Final = CHAMPION.encode()
_TOPIC: Final = "models"
_HEADROOM: Final = 64 * 1024  # what the broker adds to a record, and compression may
_TAG_LENGTH: Final = 4_000  # MLflow refuses longer ones


class Promotion(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a step found and did. `version` is the release's, `registered` the registry's number for it."""

    state: Literal["no champion", "unchanged", "published", "refused"]
    version: str = ""
    registered: str = ""
    reason: str = ""


class ChampionRegistry(Protocol):
    """What promotion asks of the registry; `registry.Registry` is one."""

    def champion(self) -> ModelVersion | None: ...

    def record(self, version: ModelVersion) -> bytes: ...

    def tag(self, version: ModelVersion, key: str, value: str) -> None: ...


class ModelTopic(Protocol):
    """What promotion asks of the topic; `kafka.Topics` is one."""

    def last(self, topic: str, key: bytes) -> bytes | None: ...

    def publish(self, topic: str, key: bytes, value: bytes) -> None: ...


class _Live(msgspec.Struct, frozen=True):
    """What must be known of the release on the topic, also if this build cannot read the rest of it."""

    version: str = ""
    sha256: str = ""


class Promoter:
    """One promoter for one space; `known` are the features that its decisions log, `parameters` those of its scenario,
    whose bounds hold for starting values."""

    def __init__(
        self,
        registry: ChampionRegistry,
        topic: ModelTopic,
        known: Sequence[str],
        parameters: Mapping[str, Parameter] | None = None,
    ) -> None:
        self._registry = registry
        self._topic = topic
        self._known = known
        self._parameters = parameters
        self.live = _live(topic.last(_TOPIC, _KEY))

    def step(self) -> Promotion:
        """Brings the topic in line with the alias, once. Raises RegistryProblem and BrokerProblem."""
        wished = self._registry.champion()
        if wished is None:
            return Promotion("no champion", self.live.version)
        about = {"version": wished.tags.get(RELEASE, ""), "registered": wished.version}
        if wished.tags.get(SHA256) == self.live.sha256:
            if PUBLISHED not in wished.tags:  # an earlier step was broken off before it said so
                self._registry.tag(wished, PUBLISHED, _now_ms())
            return Promotion("unchanged", **about)
        if reason := wished.tags.get(REFUSED):
            return Promotion("refused", **about, reason=reason)
        record = self._registry.record(wished)
        if reason := self._fault(wished, record):
            self._registry.tag(wished, REFUSED, reason[:_TAG_LENGTH])
            return Promotion("refused", **about, reason=reason)
        self._topic.publish(_TOPIC, _KEY, record)
        self.live = _live(record)
        self._registry.tag(wished, PUBLISHED, _now_ms())
        return Promotion("published", **about)

    def _fault(self, wished: ModelVersion, record: bytes) -> str | None:
        """Why the release must not go live; None if it may."""
        if len(record) > MODEL_RECORD_BYTES - _HEADROOM:
            return f"{len(record):,} bytes do not fit in a record of the topic {_TOPIC}"
        try:
            release = open_release(record, self._known, self._parameters)
        except ReleaseError as error:
            return str(error)
        if release.sha256 != wished.tags.get(SHA256):
            return "its sha256 is not the one that it was registered with"
        return None


def _live(record: bytes | None) -> _Live:
    try:
        return msgspec.json.decode(record or b"{}", type=_Live)
    except msgspec.MsgspecError:
        return _Live()


def _now_ms() -> str:
    return str(time.time_ns() // 1_000_000)
