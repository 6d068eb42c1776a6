"""The smallest run of the fast tier's bench, on a stack of its own: its shape, never a time."""

import tempfile
from pathlib import Path

import psutil
import pytest

from fraudbrain_deploy.bench.fast import bench
from fraudbrain_deploy.bench.fast.arms import ARMS


def test_the_smallest_run_gives_a_complete_report_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    told: list[str] = []
    found = bench.run(subjects=50, rounds=1, seconds=0.5, rates=(100, 200), preloaded=1_000, tell=told.append)
    assert list(found.saturated) == list(ARMS)
    for arm in found.saturated.values():
        assert [len(arm.wall_us), len(arm.processor_us)] == [1, 1]
        assert all(us > 0 for us in (*arm.wall_us, *arm.processor_us))
    for per_s, at in found.at.items():
        assert {arm: histogram.count for arm, histogram in at.together.items()} == dict.fromkeys(ARMS, per_s // 2)
        assert at.late.count == 3 * per_s * 1.5  # those of the first second were sent, too
    assert list(found.at) == [100, 200]
    assert len(list(bench.rows(found))) == 3 + 2 * 2
    assert [len(table.by_rate) for table in bench.tables(found)] == [2, 2, 2]
    assert told[-1] == "latency at 200 events/s: round 1 of 1"
    assert list(tmp_path.iterdir()) == []
    left = [each.info["cmdline"] for each in psutil.process_iter(["cmdline"])]
    assert not any(str(tmp_path) in " ".join(command or []) for command in left), "something still runs"
