"""When which fault happens: drawn from a seed."""

from collections.abc import Collection
from random import Random
from typing import Final, NamedTuple

from fraudbrain_deploy.faults.kinds import (
    BROKER,
    CONTROLS,
    HALF_OPEN,
    HBASE,
    KILL,
    REDIS,
    RESTART,
    STOP,
    THRIFT_SLOW,
)

WARM_UP_S: Final = 5.0
"""Before the first fault something must have been decided, flushed and committed."""

_ROOM_S: Final = {
    KILL: 12.0,
    STOP: 10.0,
    RESTART: 8.0,
    BROKER: 20.0,
    HBASE: 25.0,
    THRIFT_SLOW: 8.0,
    HALF_OPEN: 10.0,
    CONTROLS: 1.0,
    REDIS: 5.0,
}
"""How much each fault lengthens a campaign, so that some of its time is healthy."""

_LASTS_S: Final = {
    KILL: (0.0, 3.0),
    STOP: (3.0, 10.0),
    RESTART: (0.0, 2.0),
    BROKER: (0.0, 3.0),
    HBASE: (0.0, 1.0),
    THRIFT_SLOW: (3.0, 6.0),
    HALF_OPEN: (2.0, 6.0),
    CONTROLS: (0.0, 0.0),
    REDIS: (0.0, 5.0),
}
"""From when to when it is left alone; what is killed takes its own time to start."""


class Fault(NamedTuple):
    """Something to be broken `at_s` after the beginning, and to be mended `lasts_s` later."""

    at_s: float
    kind: str
    lasts_s: float


class Schedule(NamedTuple):
    """The faults in order, and how long events flow."""

    faults: list[Fault]
    seconds: float


def draw(seed: int, kinds: Collection[str], *, kills: int, stops: int) -> Schedule:
    """A schedule with so many kills and stops, and of the other kinds as many as go with that."""
    chance = Random(f"schedule {seed}")
    counts = {
        KILL: kills,
        STOP: stops,
        RESTART: max(1, kills // 5),
        BROKER: max(1, kills // 25),
        HBASE: max(1, kills // 25),
        THRIFT_SLOW: max(1, kills // 10),
        HALF_OPEN: max(1, kills // 10),
        CONTROLS: max(10, 2 * kills),
        REDIS: max(1, kills // 25),
    }
    wanted = {kind: count for kind, count in counts.items() if kind in kinds}
    seconds = WARM_UP_S + sum(_ROOM_S[kind] * count for kind, count in wanted.items())
    flowing = seconds - WARM_UP_S
    faults = [  # each at any time of its own share, so that they come neither in step nor all at once
        Fault(WARM_UP_S + (number + chance.random()) / count * flowing, kind, chance.uniform(*_LASTS_S[kind]))
        for kind, count in wanted.items()
        for number in range(count)
    ]
    return Schedule(sorted(faults), seconds + WARM_UP_S)
