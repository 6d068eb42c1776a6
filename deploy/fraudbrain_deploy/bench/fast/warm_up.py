"""How long a worker takes until it has all its profiles in memory, and how long events take meanwhile.

A first worker decides one event of each subject, flushes and leaves. A second one takes the partitions over: it decides
from its first moment on, and reads all rows beside that.
"""

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from fraudbrain_deploy import tiers
from fraudbrain_deploy.bench.core.stream import reference_plan
from fraudbrain_deploy.bench.fast.arms import Stage, topics_of
from fraudbrain_deploy.bench.fast.group import Group
from fraudbrain_deploy.bench.fast.metrics_page import MetricsPage, read_page
from fraudbrain_deploy.bench.fast.saturation import fill
from fraudbrain_deploy.bench.rules.cases import reference
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.histogram import Histogram
from fraudbrain_deploy.load.load import Load, answered
from fraudbrain_deploy.load.schedule import constant
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_shared.records import Progress
from fraudbrain_shared.testing.alternating import Tell

_SHOWN: Final = ("--metrics-port", "0")
_POLL_S: Final = 0.2
_NO_PROGRESS_S: Final = 180.0
_SCANNED_S: Final = 900.0


class WarmUpCourse(NamedTuple):
    """How many subjects have a row, and the load on the second worker: `per_s` events a second, in runs of `run_s`
    until it has read all rows. After that nothing comes for `rest_s`, so that it collects its garbage once."""

    subjects: int
    per_s: int
    run_s: float
    rest_s: float


class WarmUpFound(msgspec.Struct, kw_only=True):
    """What was found. `takes_events_s` is from the second worker's start until it owned partitions, `warm_s` from then
    until all rows were in memory; a worker says both once a second. `latency` is of all events due until then.

    `bytes_each` is what the process grew by for each row; None where it had read them before it was first looked at.
    The longest garbage collection and the longest turn are bounds of the worker's own histograms, which hold everything
    since its start; None where there was none.
    """

    subjects: int
    per_s: int
    takes_events_s: float
    warm_s: float
    latency: Histogram
    bytes_each: float | None
    collection_s: float | None
    turn_s: float | None


def measure(stage: Stage, course: WarmUpCourse, *, tell: Tell) -> WarmUpFound:
    """All of it, on a space of its own. Raises UserError where an event has no answer or rows are missing."""
    plan = replace(reference_plan(reference(), course.subjects), distribution="each")
    with ExitStack() as ends:
        deployment = ends.enter_context(stage.passing_space("bench-warm-up"))
        tell(f"warm-up: an event of each of {course.subjects:,} subjects is sent")
        fill(deployment, plan, course.subjects)
        group = ends.enter_context(Group(deployment, _SHOWN))
        progress = ends.enter_context(ProgressReader(deployment))
        _leave_rows(group, progress, course.subjects, tell)

        later = replace(
            plan, begin_ms=plan.begin_ms + int(course.subjects * plan.step_ms), distribution="uniform"
        )  # no event is late
        load = ends.enter_context(Load(stage.bootstrap, **topics_of(deployment.names)._asdict(), plan=later))
        [worker] = group.start(on_wait=lambda text: tell(f"warm-up: {text}"))
        return _warmed(_Watch(worker, progress, course.subjects), load, course, tell)


def _leave_rows(group: Group, progress: ProgressReader, subjects: int, tell: Tell) -> None:
    """Has a worker decide all events, whose rows it leaves behind: what is committed was flushed."""
    [worker] = group.start(on_wait=lambda text: tell(f"warm-up: {text}"))
    done, heard_s = 0, time.monotonic()
    while done < subjects:
        group.check_alive()
        before = done
        for key, record, _ in progress.poll(_POLL_S):
            if key in worker.progress_keys:
                done = sum(record.offsets.get("events", {}).values())
        tell(f"warm-up: {done:,} of {subjects:,} subjects have a row")
        if done != before:
            heard_s = time.monotonic()
        elif time.monotonic() - heard_s > _NO_PROGRESS_S:
            raise UserError(f"{subjects - done:,} events were not decided and committed; see {worker.log}.")
    group.leave(worker)


class _Watch:
    """What a worker says of itself while it reads its rows; `progress` has not been read beyond its start."""

    def __init__(self, worker: tiers.Tier, progress: ProgressReader, rows: int) -> None:
        self.worker = worker
        self._progress, self._rows = progress, rows
        self._address = ""
        self._owned_ms: int | None = None
        self._warm_ms: int | None = None
        self.profiles = 0
        self.look()
        self.first_page = self.page()

    def look(self) -> None:
        """Takes what it has said up to now."""
        for key, record, append_ms in self._progress.read_to_end():
            if key in self.worker.progress_keys:
                self._take(record, append_ms)

    def _take(self, record: Progress, append_ms: int) -> None:
        self._address = record.metrics or self._address
        self.profiles = record.counts.get("profiles", 0)
        if self._owned_ms is None and record.offsets.get("events"):
            self._owned_ms = append_ms
        if self._warm_ms is None and self.profiles >= self._rows:
            self._warm_ms = append_ms

    @property
    def is_warm(self) -> bool:
        return self._warm_ms is not None

    @property
    def takes_events_s(self) -> float:
        assert self._owned_ms is not None
        return (self._owned_ms - self.worker.started_ms) / 1_000

    @property
    def warm_s(self) -> float:
        assert self._owned_ms is not None
        assert self._warm_ms is not None
        return (self._warm_ms - self._owned_ms) / 1_000

    def page(self) -> MetricsPage:
        return read_page(self._address)


def _warmed(watch: _Watch, load: Load, course: WarmUpCourse, tell: Tell) -> WarmUpFound:
    latency, deadline = Histogram(), time.monotonic() + _SCANNED_S
    while not watch.is_warm or not latency.count:  # in small, all rows are there before the first event
        tell(f"warm-up: {watch.profiles:,} of {course.subjects:,} profiles are in memory, at {course.per_s:,} events/s")
        latency.add(answered(load.run(constant(course.per_s, course.run_s)), "the worker that warms up").latency())
        tiers.check_alive([watch.worker])
        watch.look()
        if time.monotonic() > deadline:
            raise UserError(f"{course.subjects - watch.profiles:,} rows were not read; see {watch.worker.log}.")
    tell("warm-up: the worker rests")
    time.sleep(course.rest_s)
    page = watch.page()
    return WarmUpFound(
        subjects=course.subjects,
        per_s=course.per_s,
        takes_events_s=watch.takes_events_s,
        warm_s=watch.warm_s,
        latency=latency,
        bytes_each=_bytes_each(watch.first_page, page),
        collection_s=page.longest_s("gc_pause_seconds"),
        turn_s=page.longest_s("turn_seconds"),
    )


def _bytes_each(before: MetricsPage, after: MetricsPage) -> float | None:
    profiles = after.value("profiles") - before.value("profiles")
    return (after.value("memory_bytes") - before.value("memory_bytes")) / profiles if profiles > 0 else None
