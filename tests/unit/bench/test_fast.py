"""The rows, tables and facts of the fast tier's bench, of figures made by hand."""

import msgspec
import numpy as np
import pytest

from fraudbrain_deploy import __main__ as command
from fraudbrain_deploy.bench.fast import bench
from fraudbrain_deploy.bench.fast.arms import ARMS, DURABLE, ECHO, FAST
from fraudbrain_deploy.bench.fast.bench import Found
from fraudbrain_deploy.bench.fast.latency import AtRate
from fraudbrain_deploy.bench.fast.saturation import Saturated
from fraudbrain_deploy.bench.machine import this_machine
from fraudbrain_deploy.bench.report import Report, page
from fraudbrain_deploy.load.histogram import Histogram, Quantiles


def at_rate(ms: dict[str, list[float]]) -> AtRate:
    """Each arm's 99th percentile in each round; that of a thousand is twice as much."""
    return AtRate(
        rounds={arm: [Quantiles(p50=1.0, p99=p99, p99_9=2 * p99, max=9.0) for p99 in each] for arm, each in ms.items()},
        together={arm: Histogram.of(np.array([1_000 * p99 for p99 in each], np.int64)) for arm, each in ms.items()},
        late=Histogram.of(np.array([500], np.int64)),
    )


FOUND = Found(
    subjects=100,
    preloaded=3_000,
    seconds=1.0,
    driver_us=8.0,
    saturated={
        ECHO: Saturated([2.0, 2.0, 3.0], [1.0, 1.0, 1.0]),
        FAST: Saturated([20.0, 10.0, 20.0], [10.0, 10.0, 8.0]),
        DURABLE: Saturated([40.0, 30.0, 30.0], [11.0, 11.0, 9.0]),
    },
    at={
        1_000: at_rate({ECHO: [4.0] * 3, FAST: [8.0] * 3, DURABLE: [8.0] * 3}),
        5_000: at_rate({ECHO: [4.0] * 3, FAST: [8.0] * 3, DURABLE: [120.0] * 3}),
        10_000: at_rate({ECHO: [10.0, 20.0, 10.0], FAST: [14.0, 22.0, 14.0], DURABLE: [90.0] * 3}),
    },
)


def test_each_ratio_that_counts_has_its_row() -> None:
    found = {row.name: (round(row.ratio, 2), row.must, row.aim, row.is_missed) for row in bench.rows(FOUND)}
    assert found == {
        "fast tier / echo, events/s": (0.15, 0.11, 0.2, False),
        "fast tier / echo, by processor time": (0.1, None, None, False),
        "with durable profiles / without, events/s": (0.5, 0.5, 0.8, False),
        "p99 at 1,000/s, fast tier / echo": (2.0, None, None, False),
        "p99.9 at 1,000/s, fast tier / echo": (2.0, None, None, False),
        "p99 at 5,000/s, fast tier / echo": (2.0, None, None, False),
        "p99.9 at 5,000/s, fast tier / echo": (2.0, None, None, False),
        "p99 at 10,000/s, fast tier / echo": (1.4, 1.6, 1.3, False),
        "p99.9 at 10,000/s, fast tier / echo": (1.4, 2.0, 1.5, False),
        "p99 at 5,000/s with durable profiles, ms": (120.0, 100.0, None, True),
        "p99 at 10,000/s with durable profiles, ms": (90.0, None, 100.0, False),
    }


def test_the_report_holds_every_round_and_a_table_for_each_arm() -> None:
    report = Report(
        machine=this_machine(),
        versions=bench.versions(),
        rows=list(bench.rows(FOUND)),
        curves=[],
        rounds_us=bench.rounds_us(FOUND),
        facts=bench.facts(FOUND),
        tables=list(bench.tables(FOUND)),
    )
    assert {len(rounds) for rounds in report.rounds_us.values()} == {3}
    assert len(report.rounds_us) == 3 + 3 + 3 * 3 * 4
    assert [table.name.split(":")[0] for table in report.tables] == list(ARMS)
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
    text = page(report)
    assert "echo: due until read, ms\n  events/s       p50       p99     p99.9       max\n     1,000       4.0" in text
    assert "10.00 ms  14.00 ms" in text
    assert "events/s when saturated: echo 500,000, fast tier 50,000, fast tier, durable profiles 33,333" in text


@pytest.mark.parametrize("wrong", [["--seconds", "0"], ["--rounds", "2"], ["--subjects", "0"]])
def test_what_cannot_be_measured_is_refused(wrong: list[str]) -> None:
    assert command.main(["bench", "fast", *wrong]) == 2
