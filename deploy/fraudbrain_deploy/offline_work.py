"""Offline work that is due in a replay: training as of a time, and the promotion of what it made.

The offline tier is run by its own command, as everywhere: its code is never imported here.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from fraudbrain_deploy import leash
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.stack.lifecycle import last_lines

TIMEOUT_S = 1_800.0
_LOG_LINES = 25
_LOOK_EVERY_S = 0.2


class Trained(msgspec.Struct, frozen=True):
    """What training printed: the release's version, or why there was nothing to learn from yet; and why the
    release did not go live, if it did not."""

    version: str | None = None
    skipped: str | None = None
    rows: int = 0
    frauds: int = 0
    refused: str | None = None


class _Promoted(msgspec.Struct, frozen=True):
    """What promotion printed."""

    state: str
    reason: str = ""


def train_and_promote(deployment: Deployment, as_of_ms: int, *, on_turn: Callable[[], None]) -> Trained:
    """Trains on what was known at `as_of_ms`, event time, and publishes the new model if it passes the checks.

    Raises UserError with the last lines of its log where it fails, or does not end within half an hour.
    """
    where = [
        *("--scenario", str(deployment.folder), "--space", deployment.names.space),
        *("--registry", deployment.stack.mlflow_url, "--bootstrap", deployment.stack.kafka_bootstrap),
    ]
    cut = ["--as-of", str(as_of_ms), "--lake", str(deployment.lake), "--set-champion"]
    trained = msgspec.json.decode(_run(deployment, ["train", *cut, *where], on_turn), type=Trained)
    if trained.skipped is not None:  # the alias may still name a model of an earlier replay
        return trained
    promoted = msgspec.json.decode(_run(deployment, ["promote", "--once", *where], on_turn), type=_Promoted)
    return msgspec.structs.replace(trained, refused=promoted.reason) if promoted.state == "refused" else trained


def _run(deployment: Deployment, arguments: list[str], on_turn: Callable[[], None]) -> bytes:
    """Runs a command of the offline tier; the last line that it printed."""
    log = deployment.tier_logs / "offline.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    program = leash.command([sys.executable, "-m", "fraudbrain_offline", *arguments])
    answer = log.with_name("offline.answer")
    with log.open("ab") as errors, answer.open("wb") as output:
        process = subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        try:
            _wait(process, arguments[0], on_turn)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        raise _failed(arguments[0], process.returncode, log)
    lines = answer.read_bytes().splitlines()
    return lines[-1] if lines else b"{}"


def _wait(process: "subprocess.Popen[bytes]", command: str, on_turn: Callable[[], None]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while process.poll() is None:
        on_turn()
        if time.monotonic() > deadline:
            raise UserError(f"The offline tier's `{command}` has not ended within {TIMEOUT_S:.0f} s.")
        time.sleep(_LOOK_EVERY_S)


def _failed(command: str, code: int, log: Path) -> UserError:
    lines = "\n".join(f"  {line}" for line in last_lines(log, _LOG_LINES))
    return UserError(f"The offline tier's `{command}` ended with code {code}. The end of {log}:\n{lines}")
