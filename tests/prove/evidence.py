"""Evidence: one JSON file per claim, which says what was found, at which commit, on which machine."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

FOLDER = "docs/evidence"
PACKAGES = ["confluent-kafka", "deltalake", "msgspec", "numba", "numpy", "pyarrow", "pyspark", "xgboost-cpu"]


def write(root: Path, name: str, says: str, covers: Sequence[str], report: dict[str, object]) -> Path:
    """Write the evidence for the commit that is checked out, and commit that file alone."""
    path = root / FOLDER / f"{name}.json"
    evidence = {
        "claim": name,
        "says": says,
        "commit": head(root),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "covers": list(covers),
        "report": report,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(evidence, indent=2, ensure_ascii=False) + "\n")
    git(root, "add", "--", str(path))
    git(root, "commit", "--quiet", "--message", f"Evidence for {name}", "--", str(path))
    return path


def staleness(root: Path, name: str) -> str:
    """Say how the evidence for a claim stands: not there, current, or older than code that it covers."""
    path = root / FOLDER / f"{name}.json"
    if not path.exists():
        return "no evidence yet"
    evidence = json.loads(path.read_text())
    commit, date = evidence["commit"], evidence["date"][:10]
    if subprocess.run(["git", "cat-file", "-e", commit], cwd=root, check=False, capture_output=True).returncode:
        return f"STALE: its commit {commit[:10]} of {date} is not in this repository"
    newer = git(root, "log", "--format=%h %s", f"{commit}..HEAD", "--", *evidence["covers"]).splitlines()
    if newer:
        return f"STALE: proved on {date}, {len(newer)} commits since then touch what it covers, the last: {newer[0]}"
    return f"proved on {date} at {commit[:10]}"


def machine() -> dict[str, object]:
    """Describe this machine as far as it bears on a measurement."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "versions": {"python": platform.python_version()} | {package: version(package) for package in PACKAGES},
    }


def head(root: Path) -> str:
    """Return the hash of the commit that is checked out."""
    return git(root, "rev-parse", "HEAD").strip()


def is_dirty(root: Path) -> bool:
    """Tell whether anything differs from the commit that is checked out, new files included."""
    return bool(git(root, "status", "--porcelain"))


def git(root: Path, *arguments: str) -> str:
    """Run git in this repository and return what it printed."""
    return subprocess.run(["git", *arguments], cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout
