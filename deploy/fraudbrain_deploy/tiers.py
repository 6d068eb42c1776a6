"""The tiers as processes: started, awaited, stopped. Their code is never imported here.

Each runs in a session of its own, so that Ctrl-C reaches the starter only, which stops them in order;
a leash ends them when the starter is killed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fraudbrain_deploy import leash
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_deploy.stack import java_environment, spark_jars
from fraudbrain_deploy.stack.lifecycle import last_lines
from fraudbrain_shared.records import Progress

ARCHIVE = "streaming|archive"
LOOP = "streaming|loop"
"""The keys under which the jobs of the slow tier tell their progress."""

_KILL_WAIT_S = 10.0
_LOG_LINES = 25
# On a machine that both share, a batch of the slow tier must not stand in the way of an answer.
_SLOW_NICENESS = 10


@dataclass(slots=True)
class Tier:
    """A running tier. `progress_keys` are those of its records on `progress`, `started_ms` when it was started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    progress_keys: tuple[str, ...]
    started_ms: int = field(default_factory=lambda: int(time.time() * 1000))

    def alive(self) -> bool:
        """Whether it has not ended, by itself or otherwise."""
        return self.process.poll() is None

    def stop(self, timeout_s: float = 15.0) -> None:
        """Asks it to finish its work and end; after the timeout it is killed with all its children."""
        self._signal(signal.SIGTERM)
        self._wait(timeout_s)

    def kill(self) -> None:
        """Ends it and all its children at once, as a crash would."""
        self._signal(signal.SIGKILL)
        self.process.wait(_KILL_WAIT_S)

    def _wait(self, timeout_s: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout_s)
        self.kill()  # also what it may have left behind

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)  # its session's leader leads its group


class TierEnded(UserError):
    """A tier ended though nobody asked it to."""

    def __init__(self, tier: Tier) -> None:
        lines = "\n".join(f"  {line}" for line in last_lines(tier.log, _LOG_LINES))
        super().__init__(
            f"The tier {tier.name} ended with code {tier.process.poll()}. The end of {tier.log}:\n{lines}",
            "If the machine is short of memory or ports, `fraudbrain doctor` says so.",
        )
        self.tier = tier


def start_realtime(deployment: Deployment, worker: str = "w1", group: str = "a", options: Sequence[str] = ()) -> Tier:
    """Starts one worker of the fast tier. Returns at once; see `wait_ready`. `options` are further ones of its own."""
    name = ["--group", group, "--worker", worker, "--state-dir", str(deployment.state_dir)]
    program = [*_program("fraudbrain_realtime", deployment), *name, "--redis", deployment.stack.redis_url, *options]
    return _start(deployment, f"realtime-{group}-{worker}", (f"realtime|{group}|{worker}",), program, {})


def start_streaming(deployment: Deployment, options: Sequence[str] = ()) -> Tier:
    """Starts the slow tier with all its jobs in one Spark application. Returns at once; see `wait_ready`.

    `options` are further ones of its own command, such as `--trigger 200ms`.
    """
    jars = ",".join(map(str, spark_jars()))
    folders = ["--lake", str(deployment.lake), "--checkpoints", str(deployment.checkpoints)]
    program = [*_program("fraudbrain_streaming", deployment), *folders, "--jars", jars, *options]
    java = java_environment(deployment.stack)
    return _start(deployment, "streaming", (ARCHIVE, LOOP), program, java, niceness=_SLOW_NICENESS)


def wait_ready(
    deployment: Deployment,
    tiers: Sequence[Tier],
    timeout_s: float,
    on_wait: Callable[[str], None] = lambda _: None,
    *,
    is_ready: Callable[[Progress], bool] = lambda record: record.ready,
) -> None:
    """Waits until each tier has said on `progress`, after its start, that it is ready, or what else `is_ready` means.

    `on_wait` is told, twice a second, for whom it still waits.
    Raises TierEnded if one ends meanwhile, UserError after `timeout_s`.
    """
    waiting = {key: tier for tier in tiers for key in tier.progress_keys}
    deadline = time.monotonic() + timeout_s
    with ProgressReader(deployment) as progress:
        while waiting:
            check_alive(tiers)
            on_wait(f"waiting for {' and '.join(tier.name for tier in waiting.values())}")
            for key, record, append_ms in progress.poll(timeout_s=0.5):
                tier = waiting.get(key)
                if tier and is_ready(record) and append_ms >= tier.started_ms:
                    del waiting[key]
            if waiting and time.monotonic() > deadline:
                late = "; ".join(f"{key} (log: {tier.log})" for key, tier in waiting.items())
                raise UserError(f"Not ready within {timeout_s:.0f} s: {late}.", "The log says how far it came.")


def check_alive(tiers: Iterable[Tier]) -> None:
    """Raises TierEnded for the first tier that has ended."""
    for tier in tiers:
        if not tier.alive():
            raise TierEnded(tier)


def stop_all(tiers: Sequence[Tier], timeout_s: float = 15.0) -> None:
    """Stops tiers side by side: all are asked first, then each is awaited; none outlives this call."""
    for tier in tiers:
        tier._signal(signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    for tier in tiers:
        tier._wait(max(0.0, deadline - time.monotonic()))  # one signal only: a second could meet it as it ends


def _program(module: str, deployment: Deployment) -> list[str]:
    host, port = deployment.stack.thrift_address
    return [
        *(sys.executable, "-m", module, "run"),
        *("--scenario", str(deployment.folder)),
        *("--space", deployment.names.space),
        *("--bootstrap", deployment.stack.kafka_bootstrap),
        *("--thrift", f"{host}:{port}"),
    ]


def _start(
    deployment: Deployment,
    name: str,
    progress_keys: tuple[str, ...],
    program: list[str],
    extra: dict[str, str],
    *,
    niceness: int = 0,
) -> Tier:
    log = deployment.tier_logs / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    started_ms = int(time.time() * 1000)
    with log.open("ab") as output:
        process = subprocess.Popen(
            leash.command(program, niceness=niceness),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | extra,
            start_new_session=True,
        )
    return Tier(name, process, log, progress_keys, started_ms)
