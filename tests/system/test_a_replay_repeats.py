"""A replay in steps gives the same whenever it is repeated, however the slow tier's batches are cut.

As it stands here it replays a few simulated days; `tests/prove` sets EVENTS, LIMIT and RUNS for a month of a file.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudbrain_deploy.stack import up

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings

EVENTS = os.environ.get("FRAUDBRAIN_REPEAT_EVENTS", "")
LIMIT = os.environ.get("FRAUDBRAIN_REPEAT_LIMIT", "")
RUNS = os.environ.get("FRAUDBRAIN_REPEAT_RUNS", "--cut-into=1 --cut-seed=7").split()
"""An option for the replay of each run: how the slow tier cuts its batches."""

DAYS = 9
TIMEOUT_S = 1_800


@pytest.mark.timeout(4 * TIMEOUT_S)
def test_scores_outcomes_moves_and_models_do_not_depend_on_how_batches_are_cut(
    stack: "StackSettings", space: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    up(stack, ("mlflow",))
    events = Path(EVENTS) if EVENTS else simulated(tmp_path / "payments")
    reports = {}
    for number, cut in enumerate(RUNS):
        reports[f"{number}: {cut}"] = replayed(stack, f"{space}-{number}", events, cut, tmp_path / f"{number}.json")
    record_property("reports", json.dumps(reports))

    first, *others = reports.values()
    assert (first["missing"], first["degraded"]) == (0, 0)
    assert first["loop"]["moves"] > 0
    assert first["loop"]["releases"]
    assert first["loop"]["changed_by_model"] + first["loop"]["changed_by_parameters"] > 0
    assert first["loop"]["not_reproduced"] == 0
    for other in others:
        assert other["loop"]["digests"] == first["loop"]["digests"]
        assert (other["outcomes"], other["decisions"]) == (first["outcomes"], first["decisions"])
        assert other["loop"]["releases"] == first["loop"]["releases"]


def simulated(folder: Path) -> Path:
    """A few days with frauds enough to learn from, all known after two days."""
    folder.mkdir()
    settings = folder / "settings.toml"
    settings.write_text(
        """
        [stolen_card]
        rate = 8.0
        [compromised_terminal]
        rate = 3.0
        [copied_details]
        rate = 3.0
        [labels]
        fraud_days = 2.0
        fraud_days_spread = 0.0
        good_days = 2.0
        """
    )
    size = ["--days", str(DAYS), "--customers", "600", "--terminals", "80", "--seed", "5"]
    fraudbrain("simulate", "cards", "--settings", str(settings), "--out", str(folder / "made"), *size)
    return folder / "made"


def replayed(stack: "StackSettings", space: str, events: Path, cut: str, report: Path) -> dict[str, Any]:
    """The report of a replay of `events`, day by day, in a space of its own."""
    what = ["--scenario", "cards", "--space", space, "--events", str(events), "--pace", "1d", cut]
    if EVENTS:
        what += ["--label-delay", "7d", "--limit", LIMIT]
    else:
        what += ["--train", f"{DAYS - 3}d"]
    fraudbrain("--data", str(stack.data), "replay", *what, "--report", str(report))
    told: dict[str, Any] = json.loads(report.read_text())
    return told


def fraudbrain(*arguments: str) -> None:
    program = [sys.executable, "-m", "fraudbrain_deploy", *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
