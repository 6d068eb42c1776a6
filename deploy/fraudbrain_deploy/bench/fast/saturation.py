"""How many events a second an arm takes from a topic that was filled before: it never waits for one."""

import time
from typing import Final

from fraudbrain_deploy import kafka, tiers
from fraudbrain_deploy.bench.fast.arms import ARMS, ECHO, Topics, topics_of, working_on_all
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.driving import Driver
from fraudbrain_deploy.load.remote import Remote
from fraudbrain_deploy.load.stream import Plan
from fraudbrain_shared.testing.alternating import Tell

_UNCOUNTED_PART: Final = 3
"""The first third of the events is not counted: the arm starts, and subjects get a history."""
_LOOK_EVERY_S: Final = 0.2
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


def saturate(deployment: Deployment, echo: Topics, events: int, *, rounds: int, tell: Tell) -> dict[str, list[float]]:
    """Microseconds per event of each arm in each round, by the broker's own times of what they produced."""
    found: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for number in range(1, rounds + 1):
        for arm in ARMS:
            tell(f"saturation: round {number} of {rounds}, {arm}")
            found[arm].append(_us(deployment, echo, arm, f"arm-{ARMS.index(arm)}-{number}", events))
    return found


def _us(deployment: Deployment, echo: Topics, arm: str, group: str, events: int) -> float:
    bootstrap = deployment.stack.kafka_bootstrap
    sink = echo.answers if arm == ECHO else topics_of(deployment.names).answers
    since = kafka.end_offsets(bootstrap, sink)
    with working_on_all(deployment, arm, group, echo.answers) as running:
        _await(bootstrap, sink, sum(since.values()) + events, arm, running)
    times_ms = sorted(record.timestamp()[1] for record in kafka.read_all(bootstrap, sink, since=since))
    counted = times_ms[len(times_ms) // _UNCOUNTED_PART :]
    return max(1, counted[-1] - counted[0]) / len(counted) * 1_000


def _await(bootstrap: str, topic: str, end: int, arm: str, running: list[tiers.Tier]) -> None:
    before, heard_s = -1, time.monotonic()
    while (now := sum(kafka.end_offsets(bootstrap, topic).values())) < end:
        tiers.check_alive(running)
        if now != before:
            before, heard_s = now, time.monotonic()
        elif time.monotonic() - heard_s > _NO_PROGRESS_S:
            raise UserError(f"{end - now:,} answers of the {arm} are missing; none came for {_NO_PROGRESS_S:.0f} s.")
        time.sleep(_LOOK_EVERY_S)
