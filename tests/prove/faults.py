"""What is proved by breaking one thing at a time under load, on a stack of its own. Small ones run in tests/faults."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fraudbrain_deploy.stack import StackSettings
from fraudbrain_deploy.steps import Steps
from tests.faults import fuzzed_messages as fuzzed, groups, store_away as away, store_client as client
from tests.faults.overload import Size as OverloadSize, overload as overloaded
from tests.faults.reference_work import reference_deployed
from tests.faults.slow_tier_stopped import Size as SlowTierSize, slow_tier_stopped as slow_tier_stops
from tests.faults.stage import deployed, own_stack

SEED = 20_261_125

LONGER_THAN_THE_RATES_SAY = 1.5
OF_WHAT_IS_OFFERED = 0.95
"""So much of three times the capacity must have come: a driver that is too slow proves nothing."""
APART = 0.2
"""By so much latencies with the slow tier may differ from those without it."""


def store_client(folder: Path, *, share: float = 1.0) -> dict[str, object]:
    """100,000 rows, by four readers; about 20 minutes."""
    readers = 4
    rows = int(100_000 * share) // readers
    table = "fraudbrain.faults.profiles.a"

    def prove(stack: StackSettings) -> dict[str, object]:
        return client.store_client(
            stack.thrift_address, table, rows=rows, readers=readers, timeout_s=3_600 * share + 60, seed=SEED
        )

    return _proved(folder, f"{rows * readers:,} rows", prove)


def store_away(folder: Path, *, share: float = 1.0) -> dict[str, object]:
    """1,000 events a second, HBase away for ten minutes; then a bound of 2,000 held events. About half an hour."""
    size = away.Size(
        per_s=1_000, away_s=600 * share, hot=1_000, away=20_000, profiles=4_000, healthy_s=max(5, 30 * share)
    )
    bounded = away.Size(per_s=1_000, away_s=300, hot=1_000, away=20_000, profiles=4_000, share_away=0.2)

    def prove(stack: StackSettings) -> dict[str, object]:
        return away.store_away(deployed(stack, "away"), size, seed=SEED)

    def prove_bound(stack: StackSettings) -> dict[str, object]:
        return away.store_away_at_the_bound(deployed(stack, "bound"), bounded, held=2_000, paused_s=20, seed=SEED)

    return {
        "away": _proved(folder / "away", f"HBase away for {size.away_s:.0f} s", prove),
        "at_the_bound": _proved(folder / "bound", "HBase away until too much is held", prove_bound),
    }


def fuzzed_messages(folder: Path, *, share: float = 1.0) -> dict[str, object]:
    """100,000 messages; about ten minutes."""
    count = int(100_000 * share)

    def prove(stack: StackSettings) -> dict[str, object]:
        return fuzzed.fuzzed_messages(deployed(stack, "fuzzed"), count=count, per_s=500, seed=SEED)

    return _proved(folder, f"{count:,} fuzzed messages", prove)


def one_group_killed(folder: Path, *, share: float = 1.0) -> dict[str, object]:
    """1,000 events a second for two groups of a worker each; about ten minutes."""

    def prove(stack: StackSettings) -> dict[str, object]:
        return groups.one_group_killed(
            deployed(stack, "groups"), workers=1, per_s=1_000, healthy_s=150 * share, away_s=60 * share, seed=SEED
        )

    return _proved(folder, "one of two groups killed", prove)


def clean_restart(folder: Path, *, share: float = 1.0) -> dict[str, object]:
    """1,000 events a second for two workers, which are restarted one by one and together; about ten minutes."""

    def prove(stack: StackSettings) -> dict[str, object]:
        return groups.clean_restart(deployed(stack, "restart"), per_s=1_000, healthy_s=60 * share, seed=SEED)

    return _proved(folder, "clean restarts", prove)


def overload(folder: Path, *, share: float = 1.0) -> dict[str, object]:
    """Three times the capacity for two minutes; about a quarter of an hour."""
    size = OverloadSize(
        fill=int(400_000 * share),
        burst_s=120 * share,
        healthy_s=max(3, 20 * share),
        subjects=int(100_000 * share),
        patience_s=1_800,
    )

    def prove(stack: StackSettings) -> dict[str, object]:
        return overloaded(reference_deployed(stack, "overload"), size)

    told: dict[str, Any] = _proved(folder, f"{size.times:g} times the capacity for {size.burst_s:.0f} s", prove)
    assert told["burst"]["times_the_capacity"] >= OF_WHAT_IS_OFFERED * size.times, told["burst"]
    assert told["recovery"]["times_as_long"] <= LONGER_THAN_THE_RATES_SAY, told["recovery"]
    return told


def slow_tier_stopped_under_load(folder: Path, *, share: float = 1.0) -> dict[str, object]:
    """500 events a second, three slices of a minute without the slow tier and three with it; about twelve minutes."""
    size = SlowTierSize(
        per_s=500, slice_s=60 * share, alternations=max(1, round(3 * share)), subjects=100_000, piece_s=5
    )

    def prove(stack: StackSettings) -> dict[str, object]:
        return slow_tier_stops(reference_deployed(stack, "slow-tier"), size)

    told: dict[str, Any] = _proved(folder, "the slow tier stopped and started under load", prove)
    assert abs(told["p50_ms"]["with_to_without"] - 1) <= APART, told["p50_ms"]
    return told


def _proved(folder: Path, title: str, prove: Callable[[StackSettings], dict[str, object]]) -> dict[str, object]:
    """What a proof says, from its file if it was given already."""
    report = folder / "report.json"
    if not report.exists():
        folder.mkdir(exist_ok=True)
        steps = Steps()
        with own_stack(folder / "data", steps) as stack, steps.step(title):
            found = prove(stack)
        report.write_text(json.dumps(found))
    told: dict[str, object] = json.loads(report.read_text())
    return told
