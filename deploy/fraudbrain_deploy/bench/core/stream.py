"""The stream of events that is measured on: the committed ones as templates, on other cards."""

from random import Random
from typing import Any, Final

import msgspec

from fraudbrain_deploy.bench.rules.cases import EVENTS
from fraudbrain_deploy.load.stream import Plan, Stream, StreamEvent, random_id, stream_event, subject_name
from fraudbrain_shared.scenario import Scenario

T0: Final[int] = msgspec.json.decode(EVENTS.read_bytes().splitlines()[-1])["event_time"]
"""When the stream begins, UTC ms: with the last of the committed events."""

DAY_MS: Final = 24 * 60 * 60 * 1000
# An event each four days for a subject on average: five of them are in a window of a month, and a few in a week's.
_EVERY_MS: Final = 4 * DAY_MS


def reference_plan(scenario: Scenario, subjects: int) -> Plan:
    """The plan for so many subjects, each of which has an event each four days on average."""
    return Plan(_templates(), scenario.subject, subjects, begin_ms=T0, step_ms=max(1, _EVERY_MS // subjects))


def reference_stream(scenario: Scenario, subjects: int) -> Stream:
    """The stream by this plan."""
    return Stream(reference_plan(scenario, subjects))


def history(scenario: Scenario, events: int, days: int, random: Random) -> list[StreamEvent]:
    """A subject's events before the stream begins, at random times of so many days."""
    templates = _templates()
    times = sorted(T0 - random.randrange(days * DAY_MS) for _ in range(events))
    return [
        stream_event(random.choice(templates), scenario.subject, subject_name(0), random_id(random), time)
        for time in times
    ]


def _templates() -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in EVENTS.read_bytes().splitlines()]
