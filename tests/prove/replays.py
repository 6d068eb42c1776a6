"""What is proved by running the platform: replays of a file, and tiers that are stopped."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

# Of the public file: so many payments were made in so many days.
THIRTY_DAYS = 293_422
NINETY_DAYS = 880_358


def replay_public_file(folder: Path) -> dict[str, object]:
    """Replay the file of card payments named by EVENTS through the real path, at full speed."""
    return _replay(folder, "--pace", "max")


def replay_ninety_days(folder: Path) -> dict[str, object]:
    """Replay the first 90 days of the file named by EVENTS in steps of a day, labels a week late: the closed loop."""
    return _replay(folder, "--pace", "1d", "--label-delay", "7d", "--limit", str(NINETY_DAYS))


def replay_repeats(folder: Path) -> dict[str, object]:
    """Replay 30 days of the file named by EVENTS twice, then with batches cut into 7 and by chance: the system test."""
    events = _file_named_by("EVENTS")
    runs = "--cut-into=1 --cut-into=1 --cut-into=7 --cut-seed=7"
    wanted = {"EVENTS": str(events), "LIMIT": str(THIRTY_DAYS), "RUNS": runs}
    test = "tests/system/test_a_replay_repeats.py"
    told = _system_test(folder, test, {f"FRAUDBRAIN_REPEAT_{name}": value for name, value in wanted.items()})
    return {"events": _about(events), **told}


def tiers_stopped_for_a_minute(folder: Path) -> dict[str, object]:
    """Stop each tier for a minute while events flow: the system test, with a longer absence."""
    test = (
        "tests/system/test_one_events_way.py::test_each_tier_may_stop_and_start_while_events_flow_and_nothing_is_lost"
    )
    return _system_test(folder, test, {"FRAUDBRAIN_AWAY_S": "60"})


def _replay(folder: Path, *how: str) -> dict[str, object]:
    events = _file_named_by("EVENTS")
    about = _about(events)
    report = folder / f"report-{about['sha256'][:12]}.json"
    if not report.exists():
        unfinished = report.with_suffix(".part")
        what = ["replay", "--scenario", "cards", "--events", str(events), *how]
        subprocess.run(
            [str(Path(sys.executable).with_name("fraudbrain")), *what, "--report", str(unfinished)], check=True
        )
        unfinished.rename(report)
    return {"events": about, "replay": json.loads(report.read_text())}


def _about(events: Path) -> dict[str, str]:
    return {"file": events.name, "sha256": hashlib.sha256(events.read_bytes()).hexdigest()}


def _system_test(folder: Path, test: str, environment: dict[str, str]) -> dict[str, object]:
    """Runs a test as the environment wants it; what it recorded."""
    results = folder / "results.xml"
    if not results.exists():
        unfinished = results.with_suffix(".part")
        options = ["-o", "timeout=7200", "-o", "junit_family=xunit1", f"--junitxml={unfinished}"]
        subprocess.run([sys.executable, "-m", "pytest", *options, test], check=True, env=os.environ | environment)
        unfinished.rename(results)
    properties = ElementTree.parse(results).iter("property")
    return {each.attrib["name"]: json.loads(each.attrib["value"]) for each in properties}


def _file_named_by(variable: str) -> Path:
    path = Path(os.environ.get(variable, ""))
    if not path.is_file():
        sys.exit(f"prove: name the file on the command line: make prove CLAIM=… {variable}=path")
    return path.resolve()
