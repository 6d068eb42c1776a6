"""How long an event takes, from the moment at which it was due to the reading of its answer, at fixed rates."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

import msgspec

from fraudbrain_deploy.bench.fast.arms import ARMS, DURABLE, ECHO, FAST, Stage, Topics, topics_of, working
from fraudbrain_deploy.load.echo_process import echoing
from fraudbrain_deploy.load.histogram import Histogram, Quantiles
from fraudbrain_deploy.load.load import Load, answered
from fraudbrain_deploy.load.schedule import constant
from fraudbrain_deploy.load.stream import Plan
from fraudbrain_deploy.tiers import check_alive
from fraudbrain_shared.testing.alternating import Tell

UNCOUNTED_S: Final = 1.0
_WORKERS: Final = (FAST, DURABLE)


class AtRate(msgspec.Struct):
    """What was found at one rate, by arm: the quantiles of each round, and all rounds together; `late` is how late the
    driver was, of all arms."""

    rounds: dict[str, list[Quantiles]] = {}
    together: dict[str, Histogram] = {}
    late: Histogram = msgspec.field(default_factory=Histogram)


def latencies(
    stage: Stage, echo: Topics, plan: Plan, rates: Sequence[int], *, seconds: float, rounds: int, tell: Tell
) -> dict[int, AtRate]:
    """By rate. All arms run all the time, each on topics of its own; one at a time is loaded. The workers' spaces are
    named after the plan's distribution."""
    with ExitStack() as ends:
        ends.enter_context(echoing(stage.bootstrap, echo.events, echo.answers))
        topics, workers = {ECHO: echo}, []
        for number, arm in enumerate(_WORKERS, start=1):
            tell(f"latency: the {arm} starts")
            deployment = stage.space(f"bench-{plan.distribution}-{number}")
            workers.append(ends.enter_context(working(deployment, arm)))
            topics[arm] = topics_of(deployment.names)
        loads = {
            arm: ends.enter_context(Load(stage.bootstrap, events=each.events, answers=each.answers, plan=plan))
            for arm, each in topics.items()
        }
        _measure_once(loads, rates[0], UNCOUNTED_S)  # caches and connections are cold
        found = {}
        for per_s in rates:
            at = found[per_s] = AtRate({arm: [] for arm in ARMS}, {arm: Histogram() for arm in ARMS})
            for number in range(1, rounds + 1):
                tell(f"latency at {per_s:,} events/s: round {number} of {rounds}")
                check_alive(workers)
                for arm, (late, latency) in _measure_once(loads, per_s, seconds).items():
                    at.rounds[arm].append(latency.quantiles())
                    at.together[arm].add(latency)
                    at.late.add(late)
        return found


def _measure_once(loads: dict[str, Load], per_s: int, seconds: float) -> dict[str, tuple[Histogram, Histogram]]:
    found = {}
    for arm, load in loads.items():
        loaded = answered(load.run(constant(per_s, seconds + UNCOUNTED_S)), f"the {arm}")
        found[arm] = (loaded.late, loaded.latency(UNCOUNTED_S))
    return found
