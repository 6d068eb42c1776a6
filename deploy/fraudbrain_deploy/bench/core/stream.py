"""The stream of events that the core is measured on: the committed ones as templates, on other cards."""

from collections.abc import Iterator
from itertools import accumulate, islice
from random import Random
from typing import Final, NamedTuple

import msgspec

from fraudbrain_deploy.bench.rules.cases import EVENTS
from fraudbrain_shared.scenario import Scenario

T0: Final[int] = msgspec.json.decode(EVENTS.read_bytes().splitlines()[-1])["event_time"]
"""When the stream begins, UTC ms: with the last of the committed events."""

DAY_MS: Final = 24 * 60 * 60 * 1000
# An event each four days for a subject on average: five of them are in a window of a month, and a few in a week's.
_EVERY_MS: Final = 4 * DAY_MS
_SEED: Final = 7


class StreamEvent(NamedTuple):
    """A record as it stands in the log; `time` is both event and append time, UTC ms."""

    key: bytes
    value: bytes
    time: int


class Stream:
    """Events without end, the same for the same number of subjects.

    Subjects come by Zipf's law with exponent 1: the n-th most frequent is 1 / n as frequent as the first. Which one
    that is is drawn, since neighbours in memory would be quicker to reach.
    """

    def __init__(self, scenario: Scenario, subjects: int) -> None:
        self._random = Random(_SEED)
        self._subject = scenario.subject
        self._templates = [msgspec.json.decode(line) for line in EVENTS.read_bytes().splitlines()]
        self._numbers = list(range(subjects))
        self._random.shuffle(self._numbers)
        self._weights = list(accumulate(1 / rank for rank in range(1, subjects + 1)))
        self._events = self._made(T0, max(1, _EVERY_MS // subjects))

    def take(self, count: int) -> list[StreamEvent]:
        """The next events."""
        return list(islice(self._events, count))

    def _made(self, time: int, step_ms: int) -> Iterator[StreamEvent]:
        random = self._random
        while True:
            [number] = random.choices(self._numbers, cum_weights=self._weights)
            time += step_ms
            template = random.choice(self._templates)
            yield stream_event(template, self._subject, subject_name(number), random.getrandbits(64), time)


def history(scenario: Scenario, events: int, days: int, random: Random) -> list[StreamEvent]:
    """A subject's events before the stream begins, at random times of so many days."""
    templates = [msgspec.json.decode(line) for line in EVENTS.read_bytes().splitlines()]
    times = sorted(T0 - random.randrange(days * DAY_MS) for _ in range(events))
    return [
        stream_event(random.choice(templates), scenario.subject, subject_name(0), random.getrandbits(64), time)
        for time in times
    ]


def subject_name(number: int) -> str:
    """What the card of a number is called: 12 characters."""
    return f"card-{number:07}"


def stream_event(template: dict[str, object], subject_field: str, subject: str, id_: int, time: int) -> StreamEvent:
    """The template as an event of another subject at another time."""
    fields = template["fields"]
    assert isinstance(fields, dict)
    event = template | {"event_id": f"{id_:016x}", "event_time": time, "fields": fields | {subject_field: subject}}
    return StreamEvent(subject.encode(), msgspec.json.encode(event), time)
