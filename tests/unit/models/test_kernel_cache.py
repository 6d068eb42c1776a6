"""The kernel is at hand whatever became of the files in which an earlier process has left it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fraudbrain_shared

START = """
from fraudbrain_shared.models import warm_up
warm_up()
"""
DAMAGE = """
from pathlib import Path
from fraudbrain_shared.models import kernel, warm_up

for suffix in ("nbi", "nbc"):
    files = {file: file.read_bytes() for file in Path(kernel.__file__).parent.glob(f"__pycache__/*.{suffix}")}
    for share in (0, 0.5):
        for file, contents in files.items():
            file.write_bytes(contents[: int(share * len(contents))])
        kernel.kernels.cache_clear()
        warm_up()
        print(len(files), suffix)
    for file, contents in files.items():
        file.write_bytes(contents)
"""


def run(installation: Path, program: str) -> list[str]:
    """What a program prints in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", program]
    home = {"HOME": str(installation / "none"), "NUMBA_DEBUG_CACHE": "1"}
    done = subprocess.run(command, cwd=installation, env=home, check=True, timeout=120, stdout=subprocess.PIPE)
    return done.stdout.decode().splitlines()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package where it has been loaded once: three kernels had to be compiled."""
    folder = tmp_path_factory.mktemp("installation")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(fraudbrain_shared.__file__).parent, folder / "fraudbrain_shared", ignore=ignored)
    assert compiled(folder) == 3
    return folder


def compiled(installation: Path) -> int:
    """How many kernels a start compiles: numba tells of each that it keeps."""
    return sum("data saved" in line for line in run(installation, START))


def test_the_second_start_compiles_nothing(installation: Path) -> None:
    assert compiled(installation) == 0


def test_damaged_files_are_passed_over_whether_they_were_cut_short_or_are_empty(installation: Path) -> None:
    told = [line for line in run(installation, DAMAGE) if not line.startswith("[cache]")]
    assert told == ["3 nbi"] * 2 + ["3 nbc"] * 2
