"""Install each tier, and the source client, in an environment of its own and import every module of it.

One environment for everybody hides a dependency that a tier uses and does not declare; this one does not.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIERS = ["client", "realtime", "streaming", "offline", "deploy"]
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [package.__name__, *(module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."))]
for name in names:
    importlib.import_module(name)
print(len(names), end="")
"""


def main() -> None:
    """Build all wheels once, then go through the tiers; a name on the command line picks one."""
    with tempfile.TemporaryDirectory(prefix="fraudbrain-tiers-") as folder:
        wheels = Path(folder, "wheels")
        for member in ["shared", *TIERS]:
            build_wheel(member, wheels)
        for tier in sys.argv[1:] or TIERS:
            started = time.monotonic()
            modules = import_alone(tier, wheels, Path(folder, tier))
            print(f"{tier} alone: {modules} modules imported in {time.monotonic() - started:.0f} s", flush=True)


def build_wheel(member: str, wheels: Path) -> None:
    """Build a member as its users would get it, with the backend that is in .venv."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels), cwd=ROOT / member)


def import_alone(tier: str, wheels: Path, environment: Path) -> str:
    """Install shared and the tier, at the locked versions, and return how many of its modules could be imported."""
    uv = [sys.executable, str(ROOT / ".ci/uv.py")]
    run(*uv, "venv", "-q", "--python", sys.executable, str(environment))
    packages = [str(wheel) for member in ("shared", tier) for wheel in wheels.glob(f"fraudbrain_{member}-*.whl")]
    lock = str(ROOT / "requirements.lock")
    python = str(environment / "bin/python")
    install = ["pip", "install", "-q", "--python", python, "-c", lock, "--build-constraints", lock, *packages]
    # uv's cache has it all since bootstrap; asking an index that cannot revalidate costs a rebuild of pyspark.
    if not succeeds(*uv, *install, "--offline"):
        run(*uv, *install)
    return run(python, "-I", "-c", IMPORT_ALL, f"fraudbrain_{tier}", cwd=environment)


def succeeds(*command: str) -> bool:
    """Run a command whose failure has a remedy, so that its words are of no interest."""
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0


def run(*command: str, cwd: Path = ROOT) -> str:
    """Run a command, return what it printed, and stop with its own words if it fails."""
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\ntiers alone: failed: {Path(command[0]).name} {command[-1]}")
    return done.stdout


if __name__ == "__main__":
    main()
