"""A worker that is sent several times as much as it can decide: what it does meanwhile, and when it is back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

from fraudbrain_deploy.bench.core.stream import reference_plan
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.load.appended import appended_us
from fraudbrain_deploy.load.driving import Driver
from fraudbrain_deploy.load.remote import Remote
from fraudbrain_deploy.load.schedule import Schedule, burst, constant
from fraudbrain_deploy.load.stream import Plan
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_deploy.tiers import Tier, check_alive, start_realtime, wait_ready
from tests.faults.asking import Asker, check_answers
from tests.faults.decided_log import Ends, check_complete, check_overdue, read
from tests.faults.memory_watch import MemoryWatch
from tests.faults.overload_report import Loaded, Observed, report
from tests.faults.reference_work import EVENT_TYPE
from tests.faults.stage import READY_S, drain

_GROUP: Final = "a"
_SLICE_S: Final = 2.0
_CALL_S: Final = 600.0
_DRAIN_S: Final = 300.0
_AHEAD_NS: Final = 300_000_000  # until the driver has heard of its run and made the first events
_WARM_UP: Final = 1_000
_LITTLE_S: Final = 0.5
"""When no more than so much of the base load is undecided, the backlog is gone, as far as one can see from outside."""

_WARM, _FILL, _BURST = range(3)
"""Runs of the driver. The third is base load, the burst and base load; those after it are base load."""


@dataclass(frozen=True)
class Size:
    """How large it is to be: `fill` events measure the capacity, `times` of which is sent for `burst_s`, and `share` of
    which for `healthy_s` before it, and after it until all is caught up, `patience_s` at most."""

    fill: int
    burst_s: float
    healthy_s: float
    subjects: int
    patience_s: float
    times: float = 3.0
    share: float = 0.2
    asked_per_s: float = 20.0
    askers: int = 4


def overload(deployment: Deployment, size: Size) -> dict[str, object]:
    """Measures what one worker can decide, then sends so many times as much for a while. Raises AssertionError where an
    event has no decision, decisions are out of order, degraded or wrongly marked, an answer is not what it should be,
    the worker ended, or its memory grew beyond what its queues may hold."""
    plan = reference_plan(deployment.scenario, size.subjects)
    with _worker(deployment) as worker, _driver(deployment, plan) as driver, MemoryWatch(worker) as memory:
        _fill(driver, _WARM, _WARM_UP)
        drain(deployment, _GROUP, _DRAIN_S, [worker])
        since = Ends.of(deployment)  # from here on nothing is to be degraded: the scan for profiles is over
        filled_s = _fill(driver, _FILL, size.fill)
        drain(deployment, _GROUP, _DRAIN_S, [worker])
        capacity = _capacity(deployment, since)
        loaded = _load(deployment, driver, worker, plan, size, capacity)
    assert worker.process.returncode == 0
    assert not loaded.counts.get("keeper_restarts")

    log = read(deployment, since)
    rows = log.together()
    event_type = deployment.scenario.event_types[EVENT_TYPE]
    check_complete(rows, {_FILL: size.fill} | loaded.sent)
    for partition in log.partitions:
        check_overdue(partition, event_type.deadline_ms)
    check_answers(loaded.asked, log.told, event_type)
    observed = Observed(event_type, plan, capacity, size.fill / filled_s, loaded, log, rows, memory)
    return {
        "work": "scenario reference without model and context",
        "worker_ended": 0,
        "keeper_ended": 0,
        **report(observed),
    }


@contextmanager
def _worker(deployment: Deployment) -> Iterator[Tier]:
    """Told to end only if it still runs: nobody starts another one."""
    worker = start_realtime(deployment)
    try:
        wait_ready(deployment, [worker], READY_S)
        yield worker
        check_alive([worker])
    finally:
        worker.stop()


@contextmanager
def _driver(deployment: Deployment, plan: Plan) -> Iterator[Remote]:
    with Remote(Driver, deployment.stack.kafka_bootstrap, deployment.names.topic("events"), plan) as driver:
        driver.wait_until_made()
        yield driver


@contextmanager
def _asker(deployment: Deployment, plan: Plan, size: Size) -> Iterator[Remote]:
    where = {
        "scenario": str(deployment.folder),
        "bootstrap": deployment.stack.kafka_bootstrap,
        "space": deployment.names.space,
        "redis": deployment.stack.redis_url,
    }
    with Remote(Asker, where, plan.templates, plan.subject_field, size.asked_per_s, size.askers) as asker:
        asker.wait_until_made()
        yield asker


def _called(remote: Remote, method: str, *arguments: object, timeout_s: float = _CALL_S) -> object:
    remote.call(method, *arguments)
    found: object = remote.answer(timeout_s)
    return found


def _fill(driver: Remote, run: int, events: int) -> float:
    """Sends so many as fast as it goes; the seconds that took."""
    begun_s = time.monotonic()
    _called(driver, "fill", run, events)
    return time.monotonic() - begun_s


def _capacity(deployment: Deployment, since: Ends) -> float:
    """Decisions a second of a worker that never waits for an event, by the times at which they were appended. The first
    half is left out: the driver was still at work then."""
    bootstrap, topic = deployment.stack.kafka_bootstrap, deployment.names.topic("decisions")
    return 1e6 / appended_us(bootstrap, topic, since.decisions, uncounted_part=2)


class _Sending:
    """Schedules one after the other as if they were one: what is late stays late."""

    def __init__(self, driver: Remote, worker: Tier) -> None:
        self._driver, self._worker = driver, worker
        self._runs = count(_BURST)
        self._begun_ns = time.monotonic_ns() + _AHEAD_NS
        self.sent: dict[int, int] = {}

    def drive(self, schedule: Schedule) -> None:
        """Sends it; all is acknowledged then."""
        run = next(self._runs)
        _called(self._driver, "drive", run, schedule, self._begun_ns, timeout_s=schedule.seconds + _CALL_S)
        self._begun_ns += round(schedule.seconds * 1e9)
        self.sent[run] = schedule.events
        check_alive([self._worker])


def _load(deployment: Deployment, driver: Remote, worker: Tier, plan: Plan, size: Size, capacity: float) -> Loaded:
    """Base load, the burst, and base load again until next to nothing is undecided, and for a while longer."""
    base_per_s = size.share * capacity
    schedule = burst(base_per_s, size.healthy_s, times=size.times / size.share, burst_s=size.burst_s)
    with _asker(deployment, plan, size) as asker:
        _called(asker, "begin")
        sending = _Sending(driver, worker)
        sending.drive(schedule)
        until_s = time.monotonic() + size.patience_s
        while (undecided := Ends.of(deployment).undecided) > base_per_s * _LITTLE_S:
            if time.monotonic() > until_s:
                raise TimeoutError(f"{undecided} events are undecided {size.patience_s:.0f} s after the burst")
            sending.drive(constant(base_per_s, _SLICE_S))
        sending.drive(constant(base_per_s, size.healthy_s))
        asked = _called(asker, "end")
    assert isinstance(asked, list)
    drain(deployment, _GROUP, _DRAIN_S, [worker])
    with ProgressReader(deployment) as progress:
        counts = [record.counts for key, record, _ in progress.read_to_end() if key in worker.progress_keys][-1]
    of_burst = (schedule.due_ns >= size.healthy_s * 1e9) & (schedule.due_ns < (size.healthy_s + size.burst_s) * 1e9)
    return Loaded(sending.sent, base_per_s, (_BURST, of_burst), asked, counts)
