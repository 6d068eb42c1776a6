"""What is proved by breaking one thing at a time under load, on a stack of its own. Small ones run in tests/faults."""

import json
from collections.abc import Callable
from pathlib import Path

from fraudbrain_deploy.stack import StackSettings
from fraudbrain_deploy.steps import Steps
from tests.faults import fuzzed_messages as fuzzed, groups, store_away as away, store_client as client
from tests.faults.stage import deployed, own_stack

SEED = 20_261_125


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
