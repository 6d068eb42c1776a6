#!/usr/bin/env python3
"""Make .venv: everything from requirements.lock, checked by hash, and the members editable.

Needs only Python 3.11 with its venv module. An existing .venv is brought up to date, not thrown away.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv/bin/python"
LOCK = ROOT / "requirements.lock"
MEMBERS = ["shared", "client", "realtime", "streaming", "offline", "deploy"]


def main() -> None:
    """Check the interpreter, then install in the order: venv, uv, locked packages, members."""
    require_python()
    if not (PYTHON.exists() and (ROOT / ".venv/bin/pip").exists()):  # pip comes last: without it a try was broken off
        say("creating .venv")
        run(sys.executable, "-m", "venv", str(ROOT / ".venv"))
    say("installing uv")
    uv_pin = ROOT / ".venv/uv.lock.txt"
    uv_pin.write_text(locked("uv"))
    run(str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", str(uv_pin))
    say("installing the locked packages (about 1.6 GB on disk)")
    uv_install("--require-hashes", "--build-constraints", str(LOCK), "-r", str(LOCK))
    say("installing the members: " + ", ".join(MEMBERS))
    editable = [argument for member in MEMBERS for argument in ("-e", str(ROOT / member))]
    uv_install("-q", "--no-deps", "--no-build-isolation", *editable)
    (ROOT / ".venv/.stamp").touch()


def require_python() -> None:
    """Stop with what to install, if this interpreter is too old or Debian has cut it short."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before anything has chosen the interpreter
        sys.exit(f"fraudbrain needs Python 3.11 or newer, and {sys.executable} is {version}: make PYTHON=python3.11")
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        sys.exit(f"{sys.executable} has no venv module. Install it, on Debian and Ubuntu: apt-get install python3-venv")


def locked(name: str) -> str:
    """Return the lines of requirements.lock that pin this package."""
    lines = LOCK.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = next(number for number, line in enumerate(lines[start:], start) if not line.endswith("\\"))
    return "\n".join(lines[start : end + 1]) + "\n"


def uv_install(*arguments: str) -> None:
    """Install into .venv with uv, from the user's own package index."""
    run(sys.executable, str(ROOT / ".ci/uv.py"), "pip", "install", "--python", str(PYTHON), *arguments)


def run(*command: str) -> None:
    """Run a command and stop where it fails; its own message has been shown by then."""
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        sys.exit(f"bootstrap: failed with exit code {code}: {' '.join(command)}")


def say(step: str) -> None:
    """Show what begins now."""
    print(f"bootstrap: {step}", flush=True)


if __name__ == "__main__":
    main()
