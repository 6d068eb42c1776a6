"""The claims that are too heavy for every run of the tests, each with the code it covers and the way to prove it.

A claim's function gets a folder of its own, which is kept until the commit changes: what is in there need not be done
again. It returns what the evidence says, or ends with an error.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Claim:
    """Something we say about the platform; `covers` are the paths whose change makes its evidence stale."""

    name: str
    says: str
    covers: tuple[str, ...]
    prove: Callable[[Path], dict[str, object]]


def replay_public_file(folder: Path) -> dict[str, object]:
    """Replay the file of card payments named by EVENTS through the real path."""
    events = _file_named_by("EVENTS")
    digest = hashlib.sha256(events.read_bytes()).hexdigest()
    report = folder / f"report-{digest[:12]}.json"
    if not report.exists():
        unfinished = report.with_suffix(".part")
        command = ["replay", "--scenario", "cards", "--events", str(events), "--pace", "max"]
        _fraudbrain(*command, "--out", str(folder / "scores.parquet"), "--report", str(unfinished))
        unfinished.rename(report)
    return {"events": {"file": events.name, "sha256": digest}, "replay": json.loads(report.read_text())}


def tiers_stopped_for_a_minute(folder: Path) -> dict[str, object]:
    """Stop each tier for a minute while events flow: the system test, with a longer absence."""
    results = folder / "results.xml"
    test = (
        "tests/system/test_one_events_way.py::test_each_tier_may_stop_and_start_while_events_flow_and_nothing_is_lost"
    )
    if not results.exists():
        unfinished = results.with_suffix(".part")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-o",
            "timeout=1200",
            "-o",
            "junit_family=xunit1",
            f"--junitxml={unfinished}",
            test,
        ]
        subprocess.run(command, check=True, env=os.environ | {"FRAUDBRAIN_AWAY_S": "60"})
        unfinished.rename(results)
    properties = ElementTree.parse(results).iter("property")
    return {each.attrib["name"]: json.loads(each.attrib["value"]) for each in properties}


def model_releases(folder: Path) -> dict[str, object]:
    """Score and change releases of random models."""
    from tests.prove.model_releases import prove  # late: it imports XGBoost

    return prove(folder)


CLAIMS = [
    Claim(
        name="replay-public-file",
        says="A file replayed through stack and tiers at full speed: the books balance, each event has one decision",
        covers=("shared", "realtime", "streaming", "deploy"),
        prove=replay_public_file,
    ),
    Claim(
        name="tiers-stopped-for-a-minute",
        says="The fast and the slow tier are each stopped for a minute while events flow, and nothing is lost",
        covers=("shared", "realtime", "streaming", "deploy", "tests/system"),
        prove=tiers_stopped_for_a_minute,
    ),
    Claim(
        name="model-releases",
        says="A release scores as XGBoost does; with a byte changed it is refused, with a part changed nothing crashes,"
        " and it is refused where a golden score changes",
        covers=(
            "shared/fraudbrain_shared/models",
            "shared/fraudbrain_shared/records/model.py",
            "offline/fraudbrain_offline/trees.py",
            "offline/fraudbrain_offline/golden.py",
            "offline/fraudbrain_offline/release.py",
            "tests/prove/model_releases.py",
            "tests/unit/models",
        ),
        prove=model_releases,
    ),
]


def _file_named_by(variable: str) -> Path:
    path = Path(os.environ.get(variable, ""))
    if not path.is_file():
        sys.exit(f"prove: name the file on the command line: make prove CLAIM=… {variable}=path")
    return path.resolve()


def _fraudbrain(*arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("fraudbrain")), *arguments]
    subprocess.run(command, check=True)
