from pathlib import Path

import msgspec
import pytest

from fraudbrain_deploy.bench.machine import Machine, this_machine
from fraudbrain_deploy.bench.report import Breakdown, Curve, Report, Row, StretchTable, compared, page, read_report
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.histogram import Quantiles

MACHINE = Machine(cores=2, processor="CPU", system="Linux 6", python="CPython 3.11.7", fraudbrain="0.1.0", load=0.5)


def report(ratio: float) -> Report:
    rows = [
        Row(name="peer / ours", theirs_us=20.0, ours_us=2.0, ratio=ratio, must=8, aim=15),
        Row(name="for information", theirs_us=9.0, ours_us=2.0, ratio=4.5),
    ]
    curve = Curve(name="growth", formula="n", us={1: 0.5, 1_000: 12.0}, should_us={1: 1.0, 1_000: 10.0})
    return Report(
        machine=MACHINE, versions={"peer": "2.1"}, rows=rows, curves=[curve], rounds_us={"a": [1.0]}, facts=["50 rules"]
    )


def test_the_page_holds_both_raw_figures_versions_and_cores() -> None:
    assert page(report(10.0)) == (
        "2 cores, CPU, Linux 6, CPython 3.11.7, load before 0.5\n"
        "fraudbrain 0.1.0, peer 2.1\n"
        "50 rules\n"
        "\n"
        "                    theirs      ours    ratio     must     aim\n"
        "peer / ours       20.00 µs   2.00 µs     10.0      ≥ 8    ≥ 15  ok\n"
        "for information    9.00 µs   2.00 µs     4.50\n"
        "\n"
        "growth; should be n\n"
        "                   1     1,000\n"
        "µs              0.50     12.00\n"
        "should be       1.00     10.00"
    )


@pytest.mark.parametrize(("ratio", "verdict"), [(7.9, "MISSED"), (8.0, "ok"), (15.0, "aim reached")])
def test_a_ratio_is_judged_by_what_it_must_and_should_be(ratio: float, verdict: str) -> None:
    assert verdict in page(report(ratio))
    assert report(ratio).rows[0].is_missed == (verdict == "MISSED")


@pytest.mark.parametrize(("ratio", "verdict"), [(1.6, "MISSED"), (1.5, "ok"), (1.0, "aim reached")])
def test_where_less_is_better_the_bounds_are_upper_ones(ratio: float, verdict: str) -> None:
    row = Row(name="ours / theirs", ratio=ratio, must=1.5, aim=1.0, is_cost=True)
    text = page(msgspec.structs.replace(report(10.0), rows=[row]))
    assert "≤ 1.5     ≤ 1" in text
    assert verdict in text


def test_a_breakdown_shows_the_sum_of_its_parts_beside_the_whole() -> None:
    stages = Breakdown(name="stages", parts_us={"decode": 1.0, "fold": 2.5}, whole_us=4.0)
    assert page(msgspec.structs.replace(report(10.0), breakdowns=[stages])).split("\n\n")[2] == (
        "stages\n    decode      fold       sum     whole\n      1.00      2.50      3.50      4.00"
    )


def test_a_comparison_is_the_median_of_the_rounds_ratios() -> None:
    theirs, ours = [20.0, 40.0, 60.0], [2.0, 2.0, 4.0]
    row = compared("peer / ours", theirs, ours, must=8.0)
    assert (row.theirs_us, row.ours_us, row.ratio, row.must, row.is_cost) == (40.0, 2.0, 15.0, 8.0, False)
    cost = compared("ours / peer", theirs, ours, aim=1.0, is_cost=True)
    assert (cost.theirs_us, cost.ours_us, round(cost.ratio, 3), cost.aim) == (40.0, 2.0, 0.067, 1.0)


def test_stretches_stand_below_each_other() -> None:
    ms = Quantiles(p50=1.0, p99=2.0, p99_9=3.0, max=4.0)
    table = StretchTable(name="window", by_stretch={"all of it": ms, "rolling restart": ms})
    assert page(msgspec.structs.replace(report(10.0), stretches=[table])).split("\n\n")[2] == (
        "window\n"
        "                      p50       p99     p99.9       max\n"
        "      all of it       1.0       2.0       3.0       4.0\n"
        "rolling restart       1.0       2.0       3.0       4.0"
    )


def test_a_stored_run_is_compared_ratio_by_ratio(tmp_path: Path) -> None:
    stored = tmp_path / "run.json"
    stored.write_bytes(msgspec.json.encode(report(8.0)))
    assert " 8.00    +25%" in page(report(10.0), read_report(stored))


def test_what_is_no_stored_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no stored run"):
        read_report(tmp_path / "missing.json")


def test_the_machine_says_how_many_cores_this_process_may_use() -> None:
    assert this_machine().cores >= 1
    assert this_machine().python.startswith("CPython")
