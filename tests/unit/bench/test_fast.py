"""The rows, tables and facts of the fast tier's bench, of figures made by hand."""

import msgspec
import numpy as np
import pytest

from fraudbrain_deploy import __main__ as command
from fraudbrain_deploy.bench.fast import report as fast
from fraudbrain_deploy.bench.fast.arms import ARMS, DURABLE, ECHO, FAST
from fraudbrain_deploy.bench.fast.bench import Found
from fraudbrain_deploy.bench.fast.extent import extent
from fraudbrain_deploy.bench.fast.latency import AtRate
from fraudbrain_deploy.bench.fast.saturation import Saturated
from fraudbrain_deploy.bench.fast.warm_up import WarmUpFound
from fraudbrain_deploy.bench.fast.window import RESTART, WindowFound, longest_gaps_s
from fraudbrain_deploy.bench.machine import this_machine
from fraudbrain_deploy.bench.report import Report, page
from fraudbrain_deploy.load.histogram import Histogram, Quantiles
from fraudbrain_deploy.load.load import Answers


def at_rate(ms: dict[str, list[float]]) -> AtRate:
    """Each arm's 99th percentile in each round; that of a thousand is twice as much."""
    return AtRate(
        rounds={arm: [Quantiles(p50=1.0, p99=p99, p99_9=2 * p99, max=9.0) for p99 in each] for arm, each in ms.items()},
        together={arm: Histogram.of(np.array([1_000 * p99 for p99 in each], np.int64)) for arm, each in ms.items()},
        late=Histogram.of(np.array([500], np.int64)),
    )


def window(per_s: int, ms: float, gap_s: float, *, with_slow_tier: bool = False) -> WindowFound:
    latency = Histogram.of(np.array([1_000 * ms], np.int64))
    return WindowFound(
        per_s=per_s,
        seconds=600.0,
        with_slow_tier=with_slow_tier,
        whole=latency,
        after={"new rules": latency, RESTART: latency},
        restart_s=40.0,
        gaps_s={0: 0.1, 1: gap_s},
        late=latency,
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
    windows=[window(5_000, 150.0, 2.5), window(10_000, 120.0, 3.0), window(1_000, 200.0, 4.0, with_slow_tier=True)],
    warm_up=WarmUpFound(
        subjects=1_000_000,
        per_s=500,
        takes_events_s=9.5,
        warm_s=40.0,
        latency=Histogram.of(np.array([3_000], np.int64)),
        bytes_each=612.0,
        collection_s=0.02,
        turn_s=0.1,
    ),
    uniform_saturated={arm: Saturated([8.0] * 3, [4.0] * 3) for arm in ARMS},
    uniform_at={5_000: at_rate({arm: [4.0] * 3 for arm in ARMS})},
)


def test_each_ratio_that_counts_has_its_row() -> None:
    found = {row.name: (round(row.ratio, 2), row.must, row.aim, row.is_missed) for row in fast.rows(FOUND)}
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
        "p99 in the window at 5,000/s, ms": (150.0, 100.0, None, True),
        "longest gap of a partition in the rolling restart at 5,000/s, s": (2.5, 2.0, None, True),
        "p99 in the window at 10,000/s, ms": (120.0, None, 100.0, False),
        "longest gap of a partition in the rolling restart at 10,000/s, s": (3.0, None, None, False),
        "p99 in the window at 1,000/s, slow tier running, ms": (200.0, None, None, False),
        "longest gap of a partition in the rolling restart at 1,000/s, slow tier running, s": (4.0, None, None, False),
        "longest garbage collection with 1,000,000 subjects, ms at most": (20.0, 30.0, 10.0, False),
    }


def test_the_report_holds_every_round_and_a_table_for_each_arm() -> None:
    report = Report(
        machine=this_machine(),
        versions=fast.versions(),
        rows=list(fast.rows(FOUND)),
        curves=[],
        rounds_us=fast.rounds_us(FOUND),
        facts=fast.facts(FOUND),
        tables=list(fast.tables(FOUND)),
        stretches=list(fast.stretches(FOUND)),
    )
    assert {len(rounds) for rounds in report.rounds_us.values()} == {3}
    assert len(report.rounds_us) == 3 + 3 + 3 * 3 * 4 + 3 + 3 + 3 * 4
    uniform = [f"{arm}, uniform subjects" for arm in ARMS]
    assert [table.name.split(":")[0] for table in report.tables] == [*ARMS, *uniform]
    assert [list(table.by_stretch) for table in report.stretches] == [
        *([["the whole window", "new rules and 10 s after", f"{RESTART} and 10 s after"]] * 3),
        ["meanwhile"],
    ]
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
    text = page(report)
    assert "echo: due until read, ms\n  events/s       p50       p99     p99.9       max\n     1,000       4.0" in text
    assert "10.00 ms  14.00 ms" in text
    assert "events/s when saturated: echo 500,000, fast tier 50,000, fast tier, durable profiles 33,333" in text


@pytest.mark.parametrize("wrong", [["--seconds", "0"], ["--rounds", "2"], ["--subjects", "0"]])
def test_what_cannot_be_measured_is_refused(wrong: list[str]) -> None:
    assert command.main(["bench", "fast", *wrong]) == 2


def test_a_gap_counts_in_its_own_partition_and_where_it_lies_in_the_stretch_at_least_in_part() -> None:
    at = {0: [0, 4_000, 5_000, 6_500, 9_000], 1: [4_900, 5_100, 5_200, 9_000]}
    times = np.array([ms for each in at.values() for ms in each], np.int64)
    partitions = np.array([number for number, each in at.items() for _ in each], np.int16)
    turned = np.arange(len(times))[::-1]  # whatever the order in which events were due
    answers = Answers(times, times, times[turned], partitions[turned])
    assert longest_gaps_s(answers, begin_ms=5_500, end_ms=6_000) == {0: 1.5, 1: 3.8}
    assert longest_gaps_s(answers, begin_ms=4_950, end_ms=5_150) == {0: 1.5, 1: 0.2}


def test_the_bench_lasts_as_long_as_it_says_at_most() -> None:
    assert extent(full=False, seconds=None, rounds=None).estimated_s < 15 * 60
    assert extent(full=True, seconds=None, rounds=None).estimated_s < 70 * 60
    wished = extent(full=True, seconds=2.0, rounds=5)
    assert (wished.seconds, wished.rounds, wished.preloaded) == (2.0, 5, 40_000)
