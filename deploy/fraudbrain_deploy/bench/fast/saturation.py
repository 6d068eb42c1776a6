"""How many events a second an arm takes from a topic that was filled before: it never waits for one."""

import time
from typing import Final

import msgspec

from fraudbrain_deploy import kafka, tiers
from fraudbrain_deploy.bench.fast.arms import ARMS, ECHO, Running, Topics, topics_of, working_on_all
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.appended import appended_us
from fraudbrain_deploy.load.driving import Driver
from fraudbrain_deploy.load.remote import Remote
from fraudbrain_deploy.load.stream import Plan
from fraudbrain_shared.testing.alternating import Tell

_UNCOUNTED_PART: Final = 3
"""The first third of the events is not counted: the arm starts, and subjects get a history."""
_LOOK_EVERY_S: Final = 0.05
_NO_PROGRESS_S: Final = 180.0
_FILL_S: Final = 600.0
_RUN: Final = 1


def fill(deployment: Deployment, plan: Plan, events: int) -> float:
    """Sends so many events; microseconds of the driver's processor time for each."""
    topic = deployment.names.topic("events")
    with Remote(Driver, deployment.stack.kafka_bootstrap, topic, plan) as driver:
        driver.wait_until_made()
        driver.call("fill", _RUN, events)
        seconds: float = driver.answer(_FILL_S)
        return seconds / events * 1e6


class Saturated(msgspec.Struct):
    """Microseconds per event of each round: by the broker's clock, and of the processor, all threads of the arm's own
    process together. The latter hardly depends on who else uses the machine."""

    wall_us: list[float] = []
    processor_us: list[float] = []


def saturate(deployment: Deployment, echo: Topics, events: int, *, rounds: int, tell: Tell) -> dict[str, Saturated]:
    """What an event costs each arm, by arm."""
    found = {arm: Saturated() for arm in ARMS}
    for number in range(1, rounds + 1):
        for arm in ARMS:
            tell(f"saturation: round {number} of {rounds}, {arm}")
            wall_us, processor_us = _us(deployment, echo, arm, f"arm-{ARMS.index(arm)}-{number}", events)
            found[arm].wall_us.append(wall_us)
            found[arm].processor_us.append(processor_us)
    return found


def _us(deployment: Deployment, echo: Topics, arm: str, group: str, events: int) -> tuple[float, float]:
    """Wall and processor time per event."""
    bootstrap = deployment.stack.kafka_bootstrap
    sink = echo.answers if arm == ECHO else topics_of(deployment.names).answers
    since = kafka.end_offsets(bootstrap, sink)
    with working_on_all(deployment, arm, group, echo.answers) as running:
        processor_us = _await(bootstrap, sink, sum(since.values()), events, arm, running)
    return appended_us(bootstrap, sink, since, uncounted_part=_UNCOUNTED_PART), processor_us


def _await(bootstrap: str, topic: str, begin: int, events: int, arm: str, running: Running) -> float:
    """Waits for so many answers; microseconds of the processor for each of those that count."""
    before, heard_s = -1, time.monotonic()
    counted: tuple[int, float] | None = None
    while (done := sum(kafka.end_offsets(bootstrap, topic).values()) - begin) < events:
        tiers.check_alive(running.tiers)
        if counted is None and done >= events // _UNCOUNTED_PART:
            counted = done, _processor_s(running)
        if done != before:
            before, heard_s = done, time.monotonic()
        elif time.monotonic() - heard_s > _NO_PROGRESS_S:
            raise UserError(f"{events - done:,} answers of the {arm} are missing; no more came for a long time.")
        time.sleep(_LOOK_EVERY_S)
    first, begun_s = counted or (0, 0.0)  # all came between two looks
    return (_processor_s(running) - begun_s) / (events - first) * 1e6


def _processor_s(running: Running) -> float:
    times = running.process.cpu_times()
    return float(times.user + times.system)
