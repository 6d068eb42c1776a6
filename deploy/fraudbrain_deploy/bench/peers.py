"""The peers that we compare ourselves with: fetched when they are first needed, into a folder of their own.

They are not part of the product: nothing installed here is seen by it. The measuring process puts the folder of
`peers.txt` behind its own packages, so that all run in one interpreter.
"""

import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final

from fraudbrain_deploy.errors import UserError

PINNED: Final = Path(__file__).parent / "peers.txt"
# Quix Streams needs other versions of what we need ourselves: it runs in a process of its own.
QUIX: Final = Path(__file__).parent / "quix_peers.txt"
_TIMEOUT_S: Final = 600.0
_REMEDY: Final = (
    "See that pip finds its index (`pip config list`), or measure ours alone: `fraudbrain bench --no-peers`."
)


def peers_folder(data: Path, pinned: Path | None = None) -> Path:
    """Where the pinned peers stand; they are installed first if they do not. Raises UserError, saying what to do."""
    pinned = pinned or PINNED
    tag = sha256(pinned.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = data / "bench" / f"{pinned.stem.replace('_', '-')}-{tag}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            _install(Path(made) / "peers", pinned)
            shutil.move(Path(made) / "peers", folder)  # whole or not at all
    return folder


def _install(folder: Path, pinned: Path) -> None:
    """By pip, since it knows where this machine gets its packages from."""
    command = [*(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:")]
    command += ["--require-hashes", "--target", str(folder), "--requirement", str(pinned)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise UserError(f"The peers were not installed within {_TIMEOUT_S:.0f} s.", _REMEDY) from error
    if done.returncode:
        raise UserError(f"The peers cannot be installed:\n{done.stderr.strip()[-1_000:]}", _REMEDY)
