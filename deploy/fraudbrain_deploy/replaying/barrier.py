"""The barrier between two steps of a replay: no tier goes on before all have done with the step before.

On `progress` the replay tells the slow tier what to do (`StepGoal`) and the workers what the next events are
decided by (`StepEnd`); from there it reads how far each has come.
"""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_deploy.replaying.waiting import Watch
from fraudbrain_deploy.tiers import ARCHIVE, LOOP
from fraudbrain_shared.records import Progress, StepEnd, StepGoal

READ_BY_SLOW: Final = ("events", "labels", "decisions")
CONTROLS: Final = ("rules", "parameters", "context", "models")
NO_PROGRESS_S = 60.0
FRESH_MS: Final = 5_000
"""A worker tells its progress each second; one that was silent for so long has ended."""

_LOOK_EVERY_S = 0.05
_SEND_S = 30.0

Ends = dict[str, dict[str, int]]


class Barrier:
    """Of one replay, named `run`; a context manager, at whose end the tiers return to life without steps.

    `on_turn` is called often and may raise to end a wait. Each wait ends with UserError, which says who is
    late, when the party waited for has not got on for a minute.
    """

    def __init__(self, deployment: Deployment, run: str, *, on_turn: Callable[[], None]) -> None:
        self._bootstrap, self._names = deployment.stack.kafka_bootstrap, deployment.names
        self._logs = deployment.tier_logs
        self._run = run
        self._on_turn = on_turn
        self._producer = kafka.producer(self._bootstrap)
        self._reader = ProgressReader(deployment)
        self._heard: dict[str, tuple[Progress, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._publish(self._goal_key, None)
        self._reader.__exit__(kind, error, trace)

    def slow_tier(self, step: int, clock_ms: int) -> None:
        """Gives the slow tier its goal before `step`, which begins at `clock_ms`, and waits until it is reached."""
        goal = StepGoal(self._run, step, clock_ms, self._ends(READ_BY_SLOW))
        self._publish(self._goal_key, msgspec.json.encode(goal))
        wanted = {f"{topic}/{number}": end for topic, ends in goal.offsets.items() for number, end in ends.items()}
        wanted = {place: end for place, end in wanted.items() if end} | {"goal": step + 1}
        watch: Watch[str] = Watch("The slow tier", f"its log in {self._logs}", NO_PROGRESS_S)
        while not watch.reached(self._slow_places(), wanted):
            self._listen()

    def workers(self, step: int, clock_ms: int) -> Ends:
        """Waits until every worker has received the controls to their ends, which are what `step` is decided by."""
        ends = self._ends(CONTROLS)
        watch: Watch[str] = Watch("The fast tier", f"the log of its worker, in {self._logs}", NO_PROGRESS_S)
        while not watch.reached(self._worker_places(), self._wanted_of_workers(ends)):
            self._listen()
        end = StepEnd(self._run, step, clock_ms, ends)
        self._publish(f"step|{self._run}|{step}".encode(), msgspec.json.encode(end))
        return ends

    @property
    def _goal_key(self) -> bytes:
        return f"goal|{self._run}".encode()

    def _ends(self, topics: tuple[str, ...]) -> Ends:
        return {
            topic: {str(number): end for number, end in ends.items()}
            for topic in topics
            for ends in (kafka.end_offsets(self._bootstrap, self._names.topic(topic)),)
        }

    def _slow_places(self) -> dict[str, int]:
        """Where its archive stands in each topic, the goal reached, and whatever else tells that it gets on."""
        archive, loop = (self._heard[key][0] if key in self._heard else None for key in (ARCHIVE, LOOP))
        places = {f"loop {place}": at for place, at in _flat(loop).items()}
        places |= _flat(archive)
        run, _, number = (loop.step if loop else "").rpartition("|")
        return places | {"goal": int(number) + 1 if run == self._run else 0}

    def _worker_places(self) -> dict[str, int]:
        return {
            f"{key} {topic}": progress.offsets.get(topic, {}).get("0", 0)
            for key, progress in self._workers().items()
            for topic in CONTROLS
        } | {"workers": len(self._workers())}

    def _wanted_of_workers(self, ends: Ends) -> dict[str, int]:
        wanted = {f"{key} {topic}": at["0"] for key in self._workers() for topic, at in ends.items()}
        return wanted | {"workers": 1}

    def _workers(self) -> dict[str, Progress]:
        """The workers that live, of whatever group."""
        oldest_ms = time.time() * 1000 - FRESH_MS
        return {
            key: progress
            for key, (progress, append_ms) in self._heard.items()
            if key.startswith("realtime|") and progress.ready and append_ms >= oldest_ms
        }

    def _listen(self) -> None:
        self._on_turn()
        for key, progress, append_ms in self._reader.poll(_LOOK_EVERY_S):
            self._heard[key] = progress, append_ms

    def _publish(self, key: bytes, value: bytes | None) -> None:
        self._producer.produce(self._names.topic("progress"), value, key)
        if self._producer.flush(_SEND_S):
            raise UserError("The broker did not take a record of the replay.", "See `fraudbrain stack status`.")


def _flat(progress: Progress | None) -> Mapping[str, int]:
    """Offsets by `topic/partition`."""
    if progress is None:
        return {}
    return {f"{topic}/{number}": at for topic, ats in progress.offsets.items() for number, at in ats.items()}
