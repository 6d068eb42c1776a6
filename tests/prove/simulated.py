"""A million seeds of the simulator, in pieces: those that are done stand in the claim's folder."""

import json
import sys
import time
from pathlib import Path
from typing import Final

from tests.faults.simulator.campaign import Failure, failures, kills

SEEDS: Final = 1_000_000
PIECE: Final = 10_000
PROCESSES: Final = 2


def million_seeds(folder: Path) -> dict[str, object]:
    """Seeds 0 to 999,999 and every mutant; ends with an error where a law is broken. Takes hours, and may be
    interrupted: a piece that is done is not done again."""
    seconds = sum(_piece(folder, start) for start in range(0, SEEDS, PIECE))
    killed = list(kills(0, PROCESSES))
    alive = [each.name for each in killed if each.failure is None]
    if alive:
        sys.exit(f"prove: mutants live: {', '.join(alive)}")
    return {
        "seeds": SEEDS,
        "violations": 0,
        "processes": PROCESSES,
        "seconds": round(seconds),
        "mutants_killed_by_seed": {each.name: each.tried for each in sorted(killed)},
    }


def _piece(folder: Path, start: int) -> float:
    """How many seconds a piece took, now or when it was done."""
    path = folder / f"from-{start:07}.json"
    if not path.exists():
        began = time.monotonic()
        failed = failures(range(start, start + PIECE), PROCESSES, lambda _: None)
        if failed:
            sys.exit(_words(failed))
        path.write_text(json.dumps({"seconds": time.monotonic() - began}))
        print(f"prove: {start + PIECE:,} of {SEEDS:,} seeds, nothing wrong", flush=True)
    seconds: float = json.loads(path.read_text())["seconds"]
    return seconds


def _words(failed: list[Failure]) -> str:
    shown = "\n".join(f"  seed {each.seed}: {each.wrong[0]}" for each in failed[:20])
    return f"prove: seeds fail; python -m tests.faults.simulator --seed {failed[0].seed} --verbose tells how\n{shown}"
