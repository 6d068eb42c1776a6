"""`fraudbrain bench fast`: the whole fast tier between real topics, and the rows made of what was found."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from fraudbrain_deploy.bench.core.scoring import scored
from fraudbrain_deploy.bench.core.services import WHOLE, services
from fraudbrain_deploy.bench.core.stream import reference_plan
from fraudbrain_deploy.bench.fast.arms import ARMS, DURABLE, ECHO, FAST, Stage
from fraudbrain_deploy.bench.fast.latency import UNCOUNTED_S, AtRate, latencies
from fraudbrain_deploy.bench.fast.saturation import Saturated, fill, saturate
from fraudbrain_deploy.bench.report import LatencyTable, Row, compared
from fraudbrain_deploy.bench.rules.cases import reference
from fraudbrain_deploy.load.histogram import Quantiles
from fraudbrain_shared.testing.alternating import Tell

RATES: Final = (1_000, 5_000, 10_000)
"""Events a second at which latencies are measured."""
EVENTS_PER_S: Final = 20_000
"""So many events are preloaded for each second that a measurement is to last."""

_COMPARED_AT: Final = 10_000
_MUST_AT: Final = 5_000
_WHOLE_MS: Final = 100.0
"""What the 99th percentile must stay below, end to end with durable profiles: the mission's own bound."""
# Training a model takes as long on the busiest machine.
_TRAINED_S: Final = 600.0
_BRIEFLY: Final = ("--rounds", "1", "--slice-s", "0")


class Found(msgspec.Struct, kw_only=True):
    """What an event costs each arm when it is saturated, and latencies by rate."""

    subjects: int
    preloaded: int
    seconds: float
    driver_us: float
    saturated: dict[str, Saturated]
    at: dict[int, AtRate]


def run(
    *,
    subjects: int,
    rounds: int,
    seconds: float,
    tell: Tell,
    rates: Sequence[int] = RATES,
    preloaded: int | None = None,
) -> Found:
    """Measures all of it on a stack of its own. Raises UserError where that fails or answers are missing."""
    events = round(seconds * EVENTS_PER_S) if preloaded is None else preloaded
    plan = reference_plan(reference(), subjects)
    with TemporaryDirectory(prefix="fraudbrain-bench-") as made, ExitStack() as ends:
        release = Path(made) / "release.json"
        scored(release, _BRIEFLY, at_most_s=_TRAINED_S, tell=tell)
        tell("Kafka, HBase and Redis start")
        stage = Stage(ends.enter_context(services(WHOLE)), release.read_bytes())
        echo = stage.echo_topics("bench-echo")
        full = stage.space("bench-full")
        tell(f"{events:,} events are sent")
        driver_us = fill(full, plan, events)
        saturated = saturate(full, echo, events, rounds=rounds, tell=tell)
        at = latencies(stage, echo, plan, rates, seconds=seconds, rounds=rounds, tell=tell)
    return Found(subjects=subjects, preloaded=events, seconds=seconds, driver_us=driver_us, saturated=saturated, at=at)


def rows(found: Found) -> Iterator[Row]:
    """Each ratio that counts, with what it must and should be. Where both figures are times per event, the ratio is
    that of events per second."""
    echo, fast, durable = (found.saturated[arm] for arm in ARMS)
    yield compared("fast tier / echo, events/s", echo.wall_us, fast.wall_us, must=0.11, aim=0.20)
    yield compared("fast tier / echo, by processor time", echo.processor_us, fast.processor_us)
    yield compared("with durable profiles / without, events/s", fast.wall_us, durable.wall_us, must=0.5, aim=0.8)
    for per_s, at in found.at.items():
        is_judged = per_s == _COMPARED_AT
        yield _ms_compared("p99", per_s, at, must=1.6 if is_judged else None, aim=1.3 if is_judged else None)
        yield _ms_compared("p99_9", per_s, at, must=2.0 if is_judged else None, aim=1.5 if is_judged else None)
    for per_s, at in found.at.items():
        if per_s in (_MUST_AT, _COMPARED_AT):
            yield Row(
                name=f"p99 at {per_s:,}/s with durable profiles, ms",
                ratio=at.together[DURABLE].quantiles().p99,
                must=_WHOLE_MS if per_s == _MUST_AT else None,
                aim=_WHOLE_MS if per_s == _COMPARED_AT else None,
                is_cost=True,
            )


def tables(found: Found) -> Iterator[LatencyTable]:
    """End to end, by arm and rate."""
    for arm in ARMS:
        by_rate = {per_s: at.together[arm].quantiles() for per_s, at in found.at.items()}
        yield LatencyTable(name=f"{arm}: due until read, ms", by_rate=by_rate)


def facts(found: Found) -> list[str]:
    """What the work was."""
    late = {per_s: at.late.quantiles().p99 for per_s, at in found.at.items()}
    told = ", ".join(f"{ms:.1f} ms at {per_s:,}/s" for per_s, ms in late.items())
    rates = {arm: round(1e6 / median(each.wall_us)) for arm, each in found.saturated.items()}
    return [
        f"fast: {found.subjects:,} subjects by Zipf's law; {found.preloaded:,} events preloaded, the first third not "
        f"counted; {found.seconds:g} s at each rate, after {UNCOUNTED_S:g} s that are not",
        "events/s when saturated: " + ", ".join(f"{arm} {rate:,}" for arm, rate in rates.items()),
        f"driver: {found.driver_us:.1f} µs of processor time per event; 99 of 100 are handed over at most {told} late, "
        "which counts as latency",
    ]


def versions() -> dict[str, str]:
    """Of what stands in the way of every event."""
    return {"confluent-kafka": version("confluent-kafka")}


def rounds_us(found: Found) -> dict[str, list[float]]:
    """All that was measured, by what it was."""
    latency = {
        f"fast: {name} at {per_s}/s, {arm}": [getattr(each, name) * 1_000 for each in quantiles]
        for per_s, at in found.at.items()
        for arm, quantiles in at.rounds.items()
        for name in Quantiles.__struct_fields__
    }
    wall = {f"fast: saturated, {arm}": each.wall_us for arm, each in found.saturated.items()}
    processor = {f"fast: saturated, processor, {arm}": each.processor_us for arm, each in found.saturated.items()}
    return wall | processor | latency


def _ms_compared(quantile: str, per_s: int, at: AtRate, *, must: float | None, aim: float | None) -> Row:
    echo, fast = ([getattr(each, quantile) * 1_000 for each in at.rounds[arm]] for arm in (ECHO, FAST))
    name = f"{quantile.replace('_', '.')} at {per_s:,}/s, fast tier / echo"
    return compared(name, echo, fast, must=must, aim=aim, is_cost=True)
