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
        _fraudbrain(*command, "--out", str(folder / "decisions.csv"), "--report", str(unfinished))
        unfinished.rename(report)
    return {"events": {"file": events.name, "sha256": digest}, "replay": json.loads(report.read_text())}


CLAIMS = [
    Claim(
        name="replay-public-file",
        says="A file replayed through stack and tiers at full speed: the books balance, each event has one decision",
        covers=("shared", "realtime", "streaming", "deploy"),
        prove=replay_public_file,
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
