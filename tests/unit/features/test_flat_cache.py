"""What an earlier start has compiled is used again, but not for another layout."""

import shutil
import subprocess
import sys
from pathlib import Path

import fraudbrain_shared

START = """
from fraudbrain_shared.features import flat_kernel
print(flat_kernel.kernels().stamp() == flat_kernel.INTERPRETED.stamp())
"""


def start(installation: Path) -> tuple[bool, int]:
    """Whether the kernels are those of the layout, and how many a start has compiled and kept."""
    command = [sys.executable, "-W", "error", "-c", START]
    environment = {"HOME": str(installation / "none"), "NUMBA_DEBUG_CACHE": "1"}
    done = subprocess.run(command, cwd=installation, env=environment, check=True, timeout=180, stdout=subprocess.PIPE)
    lines = done.stdout.decode().splitlines()
    return lines[-1] == "True", sum("data saved" in line for line in lines)


def test_kernels_are_kept_and_never_used_for_another_layout(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(fraudbrain_shared.__file__).parent, tmp_path / "fraudbrain_shared", ignore=ignored)
    assert start(tmp_path) == (True, 4)
    assert start(tmp_path) == (True, 0)
    layout = tmp_path / "fraudbrain_shared/features/flat_layout.py"
    layout.write_text(layout.read_text().replace("STAMP: Final", "ANOTHER: Final = 1\nSTAMP: Final"))
    assert start(tmp_path) == (True, 0)
