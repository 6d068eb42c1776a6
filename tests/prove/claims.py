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
from importlib.metadata import version
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


def expressions_agree_with_cel(folder: Path) -> dict[str, object]:
    """Compare 100,000 random expressions with Google's CEL in C++, on three events each."""
    from tests.parity.expressions.cel_cpp import compare

    comparison = compare(range(100_000))
    if comparison.disagreements:
        sys.exit("prove: expressions differ from CEL in C++:\n" + "\n".join(comparison.disagreements[:20]))
    return {"expressions": 100_000, "judge": f"cel-expr-python {version('cel-expr-python')}"} | comparison._asdict()


def hostile_expressions(folder: Path) -> dict[str, object]:
    """Check 10,000 hostile texts, and evaluate those that are admitted."""
    from tests.unit.expressions.hostile_texts import attack

    report: dict[str, object] = {"texts": 10_000}
    return report | attack(range(10_000))._asdict()


# Of the public file: so many payments were made in so many days.
THIRTY_DAYS = 293_422
NINETY_DAYS = 880_358

CLAIMS = [
    Claim(
        name="expressions-agree-with-cel",
        says="Random expressions on random events yield what they yield in Google's CEL in C++, or no value in both",
        covers=("shared/fraudbrain_shared/expressions", "tests/parity/expressions", "tests/unit/expressions"),
        prove=expressions_agree_with_cel,
    ),
    Claim(
        name="hostile-expressions",
        says="Each of the texts that an attacker would write is refused, or evaluated in a time that its cost bounds",
        covers=("shared/fraudbrain_shared/expressions", "tests/unit/expressions"),
        prove=hostile_expressions,
    ),
    Claim(
        name="replay-public-file",
        says="A file replayed through stack and tiers at full speed: the books balance, each event has one decision",
        covers=("shared", "realtime", "streaming", "deploy"),
        prove=replay_public_file,
    ),
    Claim(
        name="replay-ninety-days",
        says="90 days in steps: nothing missing or degraded, a model goes live, parameters and model change decisions",
        covers=("shared", "realtime", "streaming", "offline", "deploy"),
        prove=replay_ninety_days,
    ),
    Claim(
        name="replay-repeats",
        says="30 days in steps come out the same when repeated, however the slow tier's batches are cut",
        covers=("shared", "realtime", "streaming", "offline", "deploy", "tests/system"),
        prove=replay_repeats,
    ),
    Claim(
        name="tiers-stopped-for-a-minute",
        says="The fast and the slow tier are each stopped for a minute while events flow, and nothing is lost",
        covers=("shared", "realtime", "streaming", "deploy", "tests/system"),
        prove=tiers_stopped_for_a_minute,
    ),
]


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
