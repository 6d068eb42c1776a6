"""What the tuner must know of controls: what it published, what people hold, and which model is live."""

import logging
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from fraudbrain_shared.controls import ParameterBook, RefusedParameter, Start, start_of
from fraudbrain_shared.records import ParameterValue
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.description import Parameter
from fraudbrain_shared.topics import CHAMPION_MODEL, VALUE, value_key
from fraudbrain_streaming.jobs.loop.offsets import Offsets

_LOG = logging.getLogger(__name__)
CONTROL_TOPICS: Final = ("models", "parameters")
"""In the order in which records act: a threshold on a score needs its release first."""


class TopicRecord(NamedTuple):
    """A record of a topic with one partition; `topic` is the short name."""

    topic: str
    offset: int
    key: bytes
    value: bytes | None


class _Release(msgspec.Struct):
    """Of a model release, what a threshold starts from."""

    version: str
    starting_values: dict[str, float] = {}


class Controls:
    """The parameter book and the live release. What comes waits until it is told to act."""

    def __init__(self, scenario: Scenario) -> None:
        self.book = ParameterBook(scenario)
        self._waiting: dict[str, deque[TopicRecord]] = {topic: deque() for topic in CONTROL_TOPICS}
        self._release: str | None = None
        self._starting_values: Mapping[str, float] = {}
        self._started = False

    def start_of(self, parameter: Parameter) -> Start:
        """Where a parameter starts under the live release."""
        return start_of(parameter, self._release, self._starting_values)

    def receive(self, records: Iterable[TopicRecord]) -> None:
        """Keep records of the control topics until they act."""
        for record in records:
            if record.topic in self._waiting:
                self._waiting[record.topic].append(record)

    def act(self, below: Offsets | None = None) -> None:
        """Let records act, of a topic that `below` names those below its offset."""
        for topic, waiting in self._waiting.items():
            end = (below or {}).get(topic, {}).get("0")
            while waiting and (end is None or waiting[0].offset < end):
                self._take(waiting.popleft())

    def start(self) -> None:
        """After the topics were read to their ends: from now on values are this process's own, and only it has them."""
        self.act()
        self._started = True

    def moved(self, record: ParameterValue, encoded: bytes) -> None:
        """Note a move of one's own."""
        self.book.update(value_key(record.name, record.id), encoded)

    def _take(self, record: TopicRecord) -> None:
        try:
            if record.topic == "models":
                self._take_model(record)
            elif not (self._started and record.key.startswith(f"{VALUE}|".encode())):
                self.book.update(record.key, record.value)
        except (RefusedParameter, msgspec.DecodeError) as error:
            _LOG.warning("%s/%d rejected: %s", record.topic, record.offset, error)

    def _take_model(self, record: TopicRecord) -> None:
        if record.key != CHAMPION_MODEL:
            return
        release = None if record.value is None else msgspec.json.decode(record.value, type=_Release)
        self._release = release.version if release else None
        self._starting_values = release.starting_values if release else {}
        self.book.release(self._release, self._starting_values)
