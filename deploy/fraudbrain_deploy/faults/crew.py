"""The workers of a campaign: hurt on purpose, and started again whenever they have ended."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.tiers import Tier, start_realtime, stop_all

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 8.0
_END_WITHIN_S: Final = 30.0
_WELL_AFTER_S: Final = 20.0
"""Who has run for so long is well: the next pause is short again."""


@dataclass(slots=True)
class Worker:
    """A worker by name, whichever process it is at the moment."""

    group: str
    name: str
    tier: Tier
    started_s: float
    is_stopped: bool = False
    is_ending: bool = False
    start_again_s: float | None = None
    pause_s: float = _FIRST_PAUSE_S
    exits: list[str] = field(default_factory=list)
    """How processes ended otherwise than they were told to."""

    def __str__(self) -> str:
        return f"{self.group}/{self.name}"

    @property
    def is_up(self) -> bool:
        return self.tier.alive() and not self.is_stopped and not self.is_ending


class Crew:
    """Starts, hurts and looks after workers. All from one thread: a worker ends with the thread that started it."""

    def __init__(self, deployment: Deployment, groups: Sequence[str], workers: int, chance: Random) -> None:
        self._deployment = deployment
        self._chance = chance
        names = [(group, f"w{number}") for group in groups for number in range(1, workers + 1)]
        self.workers: list[Worker] = []
        for group, name in names:
            self.workers.append(Worker(group, name, start_realtime(deployment, name, group), time.monotonic()))

    @property
    def tiers(self) -> list[Tier]:
        return [worker.tier for worker in self.workers]

    def up(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.is_up]

    def look_after(self) -> list[tuple[Worker, str]]:
        """Starts again whose time has come; who has ended otherwise than told to, and how."""
        ended = []
        for worker in self.workers:
            how = self._look_after(worker, time.monotonic())
            if how is not None:
                worker.exits.append(how)
                ended.append((worker, how))
        return ended

    def _look_after(self, worker: Worker, now: float) -> str | None:
        if worker.tier.alive():
            if not worker.is_ending or now < (worker.start_again_s or now) + _END_WITHIN_S:
                return None
            worker.tier.kill()
            worker.is_ending = False
            return "did not end when asked to"
        code = worker.tier.process.returncode
        if worker.start_again_s is None:
            if now - worker.started_s > _WELL_AFTER_S:
                worker.pause_s = _FIRST_PAUSE_S
            worker.start_again_s = now + worker.pause_s
            worker.pause_s = min(2 * worker.pause_s, _LONGEST_PAUSE_S)
            return f"with code {code}"
        if worker.is_ending:
            worker.is_ending = False
            return f"with code {code} when asked to end" if code else None
        if now >= worker.start_again_s:
            self._start(worker)
        return None

    def kill(self, worker: Worker, away_s: float) -> str:
        """Kill -9: of all its processes, or of the first alone, whose children must then end by themselves."""
        worker.start_again_s = time.monotonic() + away_s
        if self._chance.random() < 0.5:
            worker.tier.kill()
            return "all its processes"
        with suppress(ProcessLookupError):
            os.kill(worker.tier.process.pid, signal.SIGKILL)
        worker.tier.process.wait(10)
        return "its first process"

    def stop(self, worker: Worker) -> None:
        """SIGSTOP: it stands still without knowing it."""
        worker.is_stopped = True
        _signal(worker, signal.SIGSTOP)

    def go_on(self, worker: Worker) -> None:
        """SIGCONT; harmless where it was not stopped."""
        worker.is_stopped = False
        _signal(worker, signal.SIGCONT)

    def ask_to_end(self, worker: Worker, away_s: float) -> None:
        """SIGTERM: it is to flush, commit and leave."""
        worker.is_ending = True
        worker.start_again_s = time.monotonic() + away_s
        _signal(worker, signal.SIGTERM)

    def mend(self) -> None:
        """Nobody stands still any more, and who is away starts at the next look."""
        for worker in self.workers:
            self.go_on(worker)
            if worker.start_again_s is not None:
                worker.start_again_s = time.monotonic()

    def end(self) -> None:
        """Ends all of them, orderly where that is possible in time."""
        for worker in self.workers:
            self.go_on(worker)
        stop_all(self.tiers)

    def _start(self, worker: Worker) -> None:
        worker.tier.kill()  # children that outlived it
        worker.tier = start_realtime(self._deployment, worker.name, worker.group)
        worker.started_s, worker.start_again_s = time.monotonic(), None
        worker.is_stopped = worker.is_ending = False


def _signal(worker: Worker, number: signal.Signals) -> None:
    if worker.tier.alive():
        with suppress(ProcessLookupError):
            os.killpg(worker.tier.process.pid, number)
