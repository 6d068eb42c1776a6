"""The smallest run of the fast tier's bench, on a stack of its own: its shape, never a time."""

import tempfile
from pathlib import Path

import psutil
import pytest

from fraudbrain_deploy.bench.fast import bench, report
from fraudbrain_deploy.bench.fast.arms import ARMS
from fraudbrain_deploy.bench.fast.extent import Extent
from fraudbrain_deploy.bench.fast.warm_up import WarmUpCourse
from fraudbrain_deploy.bench.fast.window import RESTART, Course

SMALLEST = Extent(
    seconds=0.5,
    rounds=1,
    rates=(100, 200),
    preloaded=1_000,
    windows=(Course(per_s=50, warm_up_s=1, seconds=1, pause_s=1),),
    warm_up=WarmUpCourse(subjects=300, per_s=100, run_s=1, rest_s=0),
)


@pytest.mark.timeout(900)  # on the busiest machine: fourteen processes start, and a model is trained
def test_the_smallest_run_gives_a_complete_report_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    told: list[str] = []
    found = bench.run(subjects=50, extent=SMALLEST, tell=told.append)
    assert list(found.saturated) == list(ARMS)
    for arm in found.saturated.values():
        assert [len(arm.wall_us), len(arm.processor_us)] == [1, 1]
        assert all(us > 0 for us in (*arm.wall_us, *arm.processor_us))
    for per_s, at in found.at.items():
        assert {arm: histogram.count for arm, histogram in at.together.items()} == dict.fromkeys(ARMS, per_s // 2)
        assert at.late.count == 3 * per_s * 1.5  # those of the first second were sent, too
    assert list(found.at) == [100, 200]
    assert "latency at 200 events/s: round 1 of 1" in told

    [window] = found.windows
    assert window.late.count - window.whole.count == 50 * 1
    assert window.whole.count >= 50 * window.restart_s  # it lasts until the restart is over
    assert list(window.after) == ["new rules", "a new parameter", "a new model", RESTART]
    assert all(latency.count for latency in window.after.values())
    assert set(window.gaps_s) == set(range(4))

    warm_up = found.warm_up
    assert warm_up.latency.count % 100 == 0
    assert warm_up.turn_s is not None

    assert len(list(report.rows(found))) == 3 + 2 * 2 + 2
    assert [len(table.by_rate) for table in report.tables(found)] == [2, 2, 2]
    assert [len(table.by_stretch) for table in report.stretches(found)] == [5, 1]
    assert list(tmp_path.iterdir()) == []
    left = [each.info["cmdline"] for each in psutil.process_iter(["cmdline"])]
    assert not any(str(tmp_path) in " ".join(command or []) for command in left), "something still runs"
