"""`fraudbrain bench fast`: the whole fast tier between real topics."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from fraudbrain_deploy.bench.core.scoring import scored
from fraudbrain_deploy.bench.core.services import WHOLE, services
from fraudbrain_deploy.bench.core.stream import reference_plan
from fraudbrain_deploy.bench.fast import warm_up, window
from fraudbrain_deploy.bench.fast.arms import Stage, Topics
from fraudbrain_deploy.bench.fast.extent import Extent
from fraudbrain_deploy.bench.fast.latency import AtRate, latencies
from fraudbrain_deploy.bench.fast.saturation import Saturated, fill, saturate
from fraudbrain_deploy.bench.fast.warm_up import WarmUpFound
from fraudbrain_deploy.bench.fast.window import WindowFound
from fraudbrain_deploy.bench.rules.cases import reference
from fraudbrain_deploy.load.stream import Plan
from fraudbrain_shared.testing.alternating import Tell

# Training a model takes as long on the busiest machine.
_TRAINED_S: Final = 600.0
_BRIEFLY: Final = ("--rounds", "1", "--slice-s", "0")


class Found(msgspec.Struct, kw_only=True):
    """What an event costs each arm when it is saturated, and latencies by rate; both perhaps also of subjects that come
    equally often. What the windows and the warm-up showed."""

    subjects: int
    preloaded: int
    seconds: float
    driver_us: float
    saturated: dict[str, Saturated]
    at: dict[int, AtRate]
    windows: list[WindowFound]
    warm_up: WarmUpFound
    uniform_saturated: dict[str, Saturated] = {}
    uniform_at: dict[int, AtRate] = {}


def run(*, subjects: int, extent: Extent, tell: Tell) -> Found:
    """Measures all of it on a stack of its own. Raises UserError where that fails or answers are missing."""
    plan = reference_plan(reference(), subjects)
    with TemporaryDirectory(prefix="fraudbrain-bench-") as made, ExitStack() as ends:
        release = Path(made) / "release.json"
        scored(release, _BRIEFLY, at_most_s=_TRAINED_S, tell=tell)
        tell("Kafka, HBase and Redis start")
        stage = Stage(ends.enter_context(services(WHOLE)), release.read_bytes())
        echo = stage.echo_topics("bench-echo")
        driver_us, saturated, at = _rates(stage, echo, plan, extent, extent.rates, tell)
        windows = [window.measure(stage, plan, course, tell=tell) for course in extent.windows]
        found = Found(
            subjects=subjects,
            preloaded=extent.preloaded,
            seconds=extent.seconds,
            driver_us=driver_us,
            saturated=saturated,
            at=at,
            windows=windows,
            warm_up=warm_up.measure(stage, extent.warm_up, tell=tell),
        )
        if extent.uniform_at is not None:
            uniform = replace(plan, distribution="uniform")
            _, found.uniform_saturated, found.uniform_at = _rates(
                stage, echo, uniform, extent, [extent.uniform_at], lambda text: tell(f"uniform subjects, {text}")
            )
    return found


def _rates(
    stage: Stage, echo: Topics, plan: Plan, extent: Extent, rates: Sequence[int], tell: Tell
) -> tuple[float, dict[str, Saturated], dict[int, AtRate]]:
    """What the driver costs, µs per event, what the arms do when they are saturated, and their latencies."""
    tell(f"{extent.preloaded:,} events are sent")
    with stage.passing_space(f"bench-full-{plan.distribution}") as full:
        driver_us = fill(full, plan, extent.preloaded)
        saturated = saturate(full, echo, extent.preloaded, rounds=extent.rounds, tell=tell)
    at = latencies(stage, echo, plan, rates, seconds=extent.seconds, rounds=extent.rounds, tell=tell)
    return driver_us, saturated, at
