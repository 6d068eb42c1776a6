"""The rows, tables and facts made of what the bench of the fast tier found."""

from collections.abc import Iterator
from importlib.metadata import version
from statistics import median
from typing import Final

from fraudbrain_deploy.bench.fast.arms import ARMS, DURABLE, ECHO, FAST
from fraudbrain_deploy.bench.fast.bench import Found
from fraudbrain_deploy.bench.fast.latency import UNCOUNTED_S, AtRate
from fraudbrain_deploy.bench.fast.saturation import Saturated
from fraudbrain_deploy.bench.fast.warm_up import WarmUpFound
from fraudbrain_deploy.bench.fast.window import AFTER_S, WindowFound
from fraudbrain_deploy.bench.report import LatencyTable, Row, StretchTable, compared
from fraudbrain_deploy.load.histogram import Quantiles

_COMPARED_AT: Final = 10_000
_MUST_AT: Final = 5_000
_WHOLE_MS: Final = 100.0
"""What the 99th percentile must stay below, end to end with durable profiles: the mission's own bound."""
_GAP_S: Final = 2.0
"""So long at most no event of a partition is answered while workers take turns."""
_MANY_SUBJECTS: Final = 1_000_000
_PAUSE_MS, _PAUSE_AIM_MS = 30.0, 10.0


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
    for each in found.windows:
        yield from _window_rows(each)
    yield from _warm_up_rows(found.warm_up)


def _window_rows(found: WindowFound) -> Iterator[Row]:
    """Judged is what the mission's own bound is about; beside the slow tier nothing is."""
    is_judged = found.per_s == _MUST_AT and not found.with_slow_tier
    where = f"at {found.per_s:,}/s{', slow tier running' if found.with_slow_tier else ''}"
    yield Row(
        name=f"p99 in the window {where}, ms",
        ratio=found.whole.quantiles().p99,
        must=_WHOLE_MS if is_judged else None,
        aim=_WHOLE_MS if found.per_s == _COMPARED_AT else None,
        is_cost=True,
    )
    yield Row(
        name=f"longest gap of a partition in the rolling restart {where}, s",
        ratio=max(found.gaps_s.values()),
        must=_GAP_S if is_judged else None,
        is_cost=True,
    )


def _warm_up_rows(found: WarmUpFound) -> Iterator[Row]:
    if found.subjects >= _MANY_SUBJECTS and found.collection_s is not None:
        yield Row(
            name=f"longest garbage collection with {found.subjects:,} subjects, ms at most",
            ratio=found.collection_s * 1_000,
            must=_PAUSE_MS,
            aim=_PAUSE_AIM_MS,
            is_cost=True,
        )


def tables(found: Found) -> Iterator[LatencyTable]:
    """End to end, by arm and rate."""
    for arm in ARMS:
        by_rate = {per_s: at.together[arm].quantiles() for per_s, at in found.at.items()}
        yield LatencyTable(name=f"{arm}: due until read, ms", by_rate=by_rate)
    for arm in ARMS if found.uniform_at else ():
        by_rate = {per_s: at.together[arm].quantiles() for per_s, at in found.uniform_at.items()}
        yield LatencyTable(name=f"{arm}, uniform subjects: due until read, ms", by_rate=by_rate)


def stretches(found: Found) -> Iterator[StretchTable]:
    """Of each window the whole and what each act in it did, and the warm-up."""
    for each in found.windows:
        beside = ", slow tier running" if each.with_slow_tier else ""
        by_stretch = {"the whole window": each.whole.quantiles()} | {
            f"{act} and {AFTER_S:g} s after": latency.quantiles() for act, latency in each.after.items()
        }
        yield StretchTable(name=f"two workers at {each.per_s:,}/s{beside}: due until read, ms", by_stretch=by_stretch)
    warm_up = found.warm_up
    yield StretchTable(
        name=f"a worker that reads {warm_up.subjects:,} rows, at {warm_up.per_s:,}/s: due until read, ms",
        by_stretch={"meanwhile": warm_up.latency.quantiles()},
    )


def facts(found: Found) -> list[str]:
    """What the work was."""
    late = {per_s: at.late.quantiles().p99 for per_s, at in found.at.items()}
    told = ", ".join(f"{ms:.1f} ms at {per_s:,}/s" for per_s, ms in late.items())
    return [
        f"fast: {found.subjects:,} subjects by Zipf's law; {found.preloaded:,} events preloaded, the first third not "
        f"counted; {found.seconds:g} s at each rate, after {UNCOUNTED_S:g} s that are not",
        _rates_told("events/s when saturated", found.saturated),
        *([_rates_told("the same, uniform subjects", found.uniform_saturated)] if found.uniform_saturated else []),
        f"driver: {found.driver_us:.1f} µs of processor time per event; 99 of 100 are handed over at most {told} late, "
        "which counts as latency",
        *map(_window_told, found.windows),
        *_warm_up_told(found.warm_up),
    ]


def _rates_told(what: str, saturated: dict[str, Saturated]) -> str:
    return f"{what}: " + ", ".join(f"{arm} {round(1e6 / median(each.wall_us)):,}" for arm, each in saturated.items())


def _window_told(found: WindowFound) -> str:
    beside = ", slow tier running" if found.with_slow_tier else ""
    gaps = ", ".join(f"{gap_s:.2f} s" for _, gap_s in sorted(found.gaps_s.items()))
    return (
        f"window at {found.per_s:,}/s{beside}: {found.seconds:.0f} s; rules, a parameter and the model changed, as the "
        f"decisions say; rolling restart of two workers in {found.restart_s:.0f} s, longest gap of each "
        f"partition {gaps}; driver {found.late.quantiles().p99:.1f} ms late at p99"
    )


def _warm_up_told(found: WarmUpFound) -> Iterator[str]:
    each = "" if found.bytes_each is None else f", {found.bytes_each:.0f} bytes of memory for each"
    yield (
        f"warm-up: {found.takes_events_s:.1f} s from start to events, {found.warm_s:.0f} s more until "
        f"{found.subjects:,} rows of one event are in memory{each}"
    )
    longest = {"garbage collection": found.collection_s, "turn": found.turn_s}
    told = [f"{what} at most {seconds * 1_000:g} ms" for what, seconds in longest.items() if seconds is not None]
    if told:
        yield "its longest, as it says itself: " + ", ".join(told)


def versions() -> dict[str, str]:
    """Of what stands in the way of every event."""
    return {"confluent-kafka": version("confluent-kafka")}


def rounds_us(found: Found) -> dict[str, list[float]]:
    """All that was measured, by what it was."""
    return _rounds_us("", found.saturated, found.at) | _rounds_us(
        "uniform subjects, ", found.uniform_saturated, found.uniform_at
    )


def _rounds_us(subjects: str, saturated: dict[str, Saturated], at: dict[int, AtRate]) -> dict[str, list[float]]:
    latency = {
        f"fast: {subjects}{name} at {per_s}/s, {arm}": [getattr(each, name) * 1_000 for each in quantiles]
        for per_s, found in at.items()
        for arm, quantiles in found.rounds.items()
        for name in Quantiles.__struct_fields__
    }
    wall = {f"fast: {subjects}saturated, {arm}": each.wall_us for arm, each in saturated.items()}
    processor = {f"fast: {subjects}saturated, processor, {arm}": each.processor_us for arm, each in saturated.items()}
    return wall | processor | latency


def _ms_compared(quantile: str, per_s: int, at: AtRate, *, must: float | None, aim: float | None) -> Row:
    echo, fast = ([getattr(each, quantile) * 1_000 for each in at.rounds[arm]] for arm in (ECHO, FAST))
    name = f"{quantile.replace('_', '.')} at {per_s:,}/s, fast tier / echo"
    return compared(name, echo, fast, must=must, aim=aim, is_cost=True)
