"""The kernel is at hand whatever became of the files in which an earlier process has left it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import fraudbrain_shared

LOAD = "from fraudbrain_shared.models import warm_up; warm_up()"


def load(installation: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", LOAD]
    subprocess.run(command, cwd=installation, env={"HOME": str(installation / "none")}, check=True, timeout=120)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", [cut_short, lambda file: file.write_bytes(b"")], ids=["cut short", "empty"])
def test_a_damaged_cache_is_passed_over(tmp_path: Path, suffix: str, damage: Callable[[Path], None]) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    package = shutil.copytree(Path(fraudbrain_shared.__file__).parent, tmp_path / "fraudbrain_shared", ignore=ignored)
    load(tmp_path)
    files = list((package / "models" / "__pycache__").glob(f"*.{suffix}"))
    assert files
    for file in files:
        damage(file)
    load(tmp_path)
