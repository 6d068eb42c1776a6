"""The slow tier started and stopped under load: whether decisions come later for it, and whether it catches up."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple, TypeVar

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.load.histogram import Quantiles
from fraudbrain_deploy.load.load import Load, answered
from fraudbrain_deploy.load.schedule import constant
from fraudbrain_deploy.progress import ProgressReader, Told
from fraudbrain_deploy.stack import status
from fraudbrain_deploy.tiers import Tier, check_alive, start_realtime, start_streaming, wait_ready
from tests.faults.cores import Apart, kept_apart
from tests.faults.reference_work import live_plan
from tests.faults.stage import READY_S, wait_until

_PARTS: Final = ("kafka", "hbase", "thrift", "redis")
_READ: Final = ("events", "decisions")
"""What both jobs of the slow tier read of what is loaded here."""

_SPARK_READY_S: Final = 3 * READY_S
_CAUGHT_UP_S: Final = 900.0
_STOP_S: Final = 60.0
_LOOK_S: Final = 0.1
Done = TypeVar("Done")


@dataclass(frozen=True)
class Size:
    """How large it is to be. Latencies are measured for `slice_s`, after `uncounted_s` that are not; while the slow
    tier starts and stops the same load goes on in pieces of `piece_s`."""

    per_s: float
    slice_s: float
    alternations: int
    subjects: int
    piece_s: float
    uncounted_s: float = 1.0


class _CaughtUp(NamedTuple):
    """How many records the slow tier had left to read, and how long that took."""

    records: int
    seconds: float


class _Turn(NamedTuple):
    """The quantiles of both slices, ms; when the slow tier was ready between them, and what it had missed."""

    without: Quantiles
    beside: Quantiles
    ready_s: float
    caught_up: _CaughtUp


def slow_tier_stopped(deployment: Deployment, size: Size) -> dict[str, object]:
    """Latencies without and with the slow tier in turns, and how it catches up after each start. Fast tier, broker and
    stores keep to one core; slow tier, driver and reader to another. Raises UserError where an event has no answer,
    TimeoutError where the slow tier does not catch up."""
    parts = [part.pid for part in status(deployment.stack, _PARTS) if part.pid is not None]
    with kept_apart(parts) as apart, ExitStack() as ends:
        fast = start_realtime(deployment)
        ends.callback(fast.stop)
        wait_ready(deployment, [fast], READY_S)
        apart.put_first([fast.process.pid])
        loading = _Loading(deployment, size, fast, ends)
        loading.measure()  # caches and connections are cold
        turns = [_turn(deployment, loading, apart) for _ in range(size.alternations)]
        apart.check([fast.process.pid, *parts], apart.first)
    return {
        "work": "scenario reference without model",
        "pinned": "fast tier, broker and stores to one core, slow tier and driver to another"
        if apart.is_pinned
        else "no: there is one core",
        "events_per_s": size.per_s,
        "events": loading.events,
        "unanswered": 0,
        "seconds_of_a_slice": size.slice_s,
        **_latencies(turns),
        "starts_of_the_slow_tier": [
            {
                "seconds_until_ready": round(turn.ready_s, 1),
                "records_behind_then": turn.caught_up.records,
                "seconds_until_caught_up": round(turn.caught_up.seconds, 1),
                "records_behind_after_its_slice": 0,
            }
            for turn in turns
        ],
    }


class _Loading:
    """The load: in slices that are measured, and in pieces while something else happens."""

    def __init__(self, deployment: Deployment, size: Size, fast: Tier, ends: ExitStack) -> None:
        self._size, self._fast = size, fast
        bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
        plan = live_plan(deployment, size.subjects, size.per_s)
        load = Load(bootstrap, events=names.topic("events"), answers=names.topic("decisions"), plan=plan)
        self._load = ends.enter_context(load)
        self._pool = ends.enter_context(ThreadPoolExecutor(1))
        self.events = 0

    def measure(self) -> Quantiles:
        """From when events were due until their decisions were read, in one slice."""
        return self._run(self._size.slice_s + self._size.uncounted_s, self._size.uncounted_s)

    def meanwhile(self, work: Callable[[], Done]) -> Done:
        """The work's result; the load goes on as long as it takes."""
        working = self._pool.submit(work)
        while not working.done():
            self._run(self._size.piece_s, 0.0)
        return working.result()

    def _run(self, seconds: float, uncounted_s: float) -> Quantiles:
        schedule = constant(self._size.per_s, seconds)
        loaded = answered(self._load.run(schedule), "the fast tier")
        check_alive([self._fast])
        self.events += loaded.events
        return loaded.latency(uncounted_s).quantiles()


def _turn(deployment: Deployment, loading: _Loading, apart: Apart) -> _Turn:
    """A slice without the slow tier; its start, under load, until it has caught up; a slice with it; its end."""
    without = loading.measure()
    begun_s = time.monotonic()
    slow = start_streaming(deployment)  # here: it ends with the thread that starts it
    try:
        loading.meanwhile(lambda: wait_ready(deployment, [slow], _SPARK_READY_S))
        ready_s = time.monotonic() - begun_s
        caught_up = loading.meanwhile(lambda: _catch_up(deployment, slow))
        beside = loading.measure()
        apart.check([slow.process.pid], apart.second)
        _catch_up(deployment, slow)  # nothing is sent now: it has read all there is
        loading.meanwhile(lambda: slow.stop(_STOP_S))
    finally:
        if slow.alive():
            slow.kill()
    return _Turn(without, beside, ready_s, caught_up)


def _catch_up(deployment: Deployment, slow: Tier) -> _CaughtUp:
    """Waits until its jobs have read all that is there at the call. Raises TimeoutError, TierEnded."""
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    ends = {topic: kafka.end_offsets(bootstrap, names.topic(topic)) for topic in _READ}
    heard = _Heard(slow, ends)
    with ProgressReader(deployment) as progress:
        records = heard.behind(progress.read_to_end())
        what = "the slow tier to read all there is"
        seconds = wait_until(lambda: not heard.behind(progress.poll(_LOOK_S)), what, _CAUGHT_UP_S, [slow])
    return _CaughtUp(records, seconds)


class _Heard:
    """What the jobs of the slow tier have said of themselves since it was started."""

    def __init__(self, slow: Tier, ends: dict[str, kafka.Offsets]) -> None:
        self._slow, self._ends = slow, ends
        self._offsets: dict[str, dict[str, dict[str, int]]] = {key: {} for key in slow.progress_keys}

    def behind(self, told: Iterable[Told]) -> int:
        """How many records the job that is further behind has left to read, by this too."""
        for key, record, append_ms in told:
            if key in self._offsets and append_ms >= self._slow.started_ms:
                self._offsets[key] = record.offsets
        return max(self._behind(offsets) for offsets in self._offsets.values())

    def _behind(self, offsets: dict[str, dict[str, int]]) -> int:
        return sum(
            max(0, end - offsets.get(topic, {}).get(str(number), 0))
            for topic, ends in self._ends.items()
            for number, end in ends.items()
        )


def _latencies(turns: Sequence[_Turn]) -> dict[str, object]:
    """Each slice's, the medians of the slices, and their ratios: with the slow tier to without it."""
    told: dict[str, object] = {}
    for name in ("p50", "p99"):
        without, beside = ([getattr(slices[at], name) for slices in turns] for at in (0, 1))
        told[f"{name}_ms"] = {
            "without_slow_tier": without,
            "with_slow_tier": beside,
            "median_without": median(without),
            "median_with": median(beside),
            "with_to_without": round(median(beside) / median(without), 3),
        }
    return told
