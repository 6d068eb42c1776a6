"""How fast one row is scored: ours and XGBoost's `Booster.inplace_predict` in turn, and how the cost grows.

    python -m tests.bench.scoring [rounds]

Prints microseconds and their ratios, the median of several turns; asserts nothing. What counts is the ratio: the
machine is shared. Ours includes all that a decision pays: the conversion of its logged features, None among them,
into the row that the kernel reads.
"""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt
import xgboost

from fraudbrain_offline.release import release_of
from fraudbrain_shared.models import Scorer, load_scorer, seal

FEATURES = 30
DEPTH = 6
TREES = 200
ROWS = 2_000

Matrix: TypeAlias = npt.NDArray[np.float32]


def main() -> None:
    """Print all figures."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(
        f"xgboost {xgboost.__version__}, numba {numba.__version__}, numpy {np.__version__}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores; medians of {turns} turns\n"
    )
    rows = some_rows()
    print(f"{'trees':>6} {'ours µs':>9} {'XGBoost µs':>11} {'ratio':>7} {'kernel µs':>10} {'batch µs/row':>13}")
    for trees in (1, 50, TREES, 500):
        print_turns(trees, rows, turns)
    booster = trained(rows, TREES)
    scorer = scorer_of(booster, rows)
    full = [tuple(map(float, np.nan_to_num(row))) for row in rows]
    part = [as_logged(row) for row in rows]
    row: Any = np.empty(FEATURES)

    def convert(values: Sequence[float | None]) -> None:
        row[:] = values

    for name, call, arguments in (
        ("conversion, all there", convert, full),
        ("conversion, a tenth missing", convert, part),
        ("contributions", scorer.contributions, part),
    ):
        print(f"{name}: {statistics.median(micros(call, arguments) for _ in range(turns)):.2f} µs")
    record = seal(scorer.release)
    load_ms = statistics.median(micros(lambda each: load_scorer(each, names()), [record]) for _ in range(turns)) / 1000
    print(f"loading {len(record):,} bytes with {len(scorer.release.golden):,} golden rows: {load_ms:.0f} ms")


def print_turns(trees: int, rows: Matrix, turns: int) -> None:
    """Ours, then XGBoost's, then ours again."""
    booster = trained(rows, trees)
    scorer = scorer_of(booster, rows)
    logged = [as_logged(row) for row in rows]
    converted = [row.astype(np.float64) for row in rows]
    single = [row.reshape(1, -1) for row in rows[: ROWS // 10]]
    together = rows.astype(np.float64)
    found: dict[str, list[float]] = {name: [] for name in ("ours", "theirs", "kernel", "batch")}
    for _ in range(turns):
        found["ours"].append(micros(scorer.score, logged))
        found["theirs"].append(micros(booster.inplace_predict, single))
        found["kernel"].append(micros(scorer._forest.score, converted))
        found["batch"].append(micros(scorer.scores, [together]) / ROWS)
    ratio = statistics.median(theirs / ours for theirs, ours in zip(found["theirs"], found["ours"], strict=True))
    ours, theirs, kernel, batch = (statistics.median(each) for each in found.values())
    print(f"{trees:>6} {ours:>9.2f} {theirs:>11.1f} {ratio:>7.1f} {kernel:>10.2f} {batch:>13.2f}")


def micros(call: Callable[[Any], object], arguments: Sequence[Any]) -> float:
    """Microseconds per call."""
    begin = time.perf_counter()
    for each in arguments:
        call(each)
    return (time.perf_counter() - begin) / len(arguments) * 1e6


def names() -> list[str]:
    return [f"feature_{at}" for at in range(FEATURES)]


def some_rows() -> Matrix:
    chance = np.random.default_rng(1)
    rows = chance.normal(size=(ROWS, FEATURES)).astype(np.float32)
    rows[chance.random(rows.shape) < 0.1] = np.nan
    return rows


def trained(rows: Matrix, trees: int) -> xgboost.Booster:
    """Full trees: the labels are noise enough to go on splitting."""
    label = np.nan_to_num(rows[:, 0]) + np.random.default_rng(2).normal(size=len(rows)) > 1
    matrix = xgboost.DMatrix(rows, label=label, feature_names=names(), nthread=1)
    settings = {"objective": "binary:logistic", "max_depth": DEPTH, "min_child_weight": 0, "eta": 0.05, "nthread": 1}
    return xgboost.train(settings, matrix, trees)


def scorer_of(booster: xgboost.Booster, rows: Matrix) -> Scorer:
    return load_scorer(seal(release_of(booster, rows)), names())


def as_logged(row: Matrix) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in row)


if __name__ == "__main__":
    main()
