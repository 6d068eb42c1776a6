"""What is proved by breaking things: campaigns of faults on real parts."""

import json
import subprocess
import sys
from pathlib import Path

SEED = 20_261_125


def crash_campaign(folder: Path) -> dict[str, object]:
    """A million events, a hundred kills and thirty stops, with all the other faults between them; over half an hour."""
    return run(folder, events=1_000_000, kills=100, stops=30)


def run(folder: Path, *, events: int, kills: int, stops: int) -> dict[str, object]:
    """Runs a campaign unless its report is there already; ends with an error where the judge found anything."""
    report = folder / f"report-{events}-{kills}-{stops}.json"
    if not report.exists():
        unfinished = report.with_suffix(".part")
        wanted = {"events": events, "kills": kills, "stops": stops, "seed": SEED}
        options = [word for name, value in wanted.items() for word in (f"--{name}", str(value))]
        program = [str(Path(sys.executable).with_name("fraudbrain")), "--data", str(folder), "faults", "run"]
        subprocess.run([*program, *options, "--json", str(unfinished)], check=True)
        unfinished.rename(report)
    found: dict[str, object] = json.loads(report.read_text())
    del found["injected"]  # hundreds of times of day, which tell nobody anything
    return found
