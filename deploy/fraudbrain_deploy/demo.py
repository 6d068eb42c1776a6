"""The demo: the whole platform on this machine, a history and a live stretch of payments, and their books."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import msgspec

from fraudbrain_deploy import demo_payments, kafka, spaces
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.doctor import examine
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing import event_stream
from fraudbrain_deploy.interruption import undisturbed
from fraudbrain_deploy.memory import PeakMemory
from fraudbrain_deploy.reconcile import reconcile
from fraudbrain_deploy.replay import ReplayReport, replay
from fraudbrain_deploy.replaying.display import Silent
from fraudbrain_deploy.replaying.report import Latency
from fraudbrain_deploy.replaying.waiting import wait_archived
from fraudbrain_deploy.stack import StackSettings, down, spark_jars, status, up
from fraudbrain_deploy.stack.lifecycle import Progress as StackProgress
from fraudbrain_deploy.steps import Steps, Tell
from fraudbrain_deploy.tiers import Tier, check_alive, start_realtime, start_streaming, stop_all, wait_ready

PARTS = ("kafka", "hbase", "thrift")
READY_S = 240.0
"""Spark needs 10 s on a quiet machine; a small busy one took 45."""

_ARCHIVED = ("events", "decisions", "labels")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the demo is to show: so many payments a second, for so long."""

    events_per_s: float
    live_s: float

    @property
    def live_events(self) -> int:
        return max(1, round(self.events_per_s * self.live_s))


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo found: the books of its space, the live stretch, and what it took.

    Latency is from the moment at which a payment was due to be sent to the reading of its decision.
    `peak_memory_bytes` is the resident memory of the platform's and the demo's processes together.
    """

    events: int
    decisions: int
    folded: int
    duplicates: int
    dead_letters: int
    missing: int
    degraded: int
    conflicts: int
    labels: int
    outcomes: dict[str, int]
    history_events: int
    history_events_per_s: float
    live_events: int
    live_events_per_s: float
    latency_ms: Latency | None
    peak_memory_bytes: int
    seconds: dict[str, float]
    balanced: bool
    verdict: str
    example: tuple[str, str] | None
    """Subject and event id of a payment that was not approved, to look at."""


@contextmanager
def demonstration(deployment: Deployment, wishes: Wishes, steps: Steps) -> Iterator[DemoReport]:
    """Runs the demo; its report comes while everything still runs, and everything is stopped at the end.

    Raises UserError, StackError where a step cannot be done; whatever was started is stopped then too,
    also after an interruption.
    """
    with ExitStack() as ending, PeakMemory([os.getpid()]) as memory:
        with steps.step("check this machine"):
            _check_machine(deployment.stack)
        ending.enter_context(_stack(deployment.stack, steps))
        memory.watch([part.pid for part in status(deployment.stack, PARTS) if part.pid])
        with steps.step(f"make the space {deployment.names.space} anew: topics, tables, lake"):
            spaces.drop(deployment)
            spaces.create(deployment)
        tiers = ending.enter_context(_tiers(deployment, steps))
        yield _show(deployment, wishes, steps, tiers, memory)


def _show(
    deployment: Deployment, wishes: Wishes, steps: Steps, tiers: "tuple[Tier, Tier]", memory: PeakMemory
) -> DemoReport:
    with steps.step("simulate payments, frauds among them, and labels that come late") as tell:
        files = demo_payments.make(deployment.data / "demo", wishes.live_events, tell)
        history, live = (event_stream(deployment.scenario, folder) for folder in (files.history, files.live))
    with steps.step("start the fast tier and the slow tier") as tell:
        wait_ready(deployment, tiers, READY_S, tell)
    with steps.step(f"replay a history of {history.events:,} payments as fast as it goes") as tell:
        past = replay(deployment, history, tiers=tiers[:1], display=_Told(tell, history.events))
    with steps.step(f"decide {live.events:,} payments live, {wishes.events_per_s:g} a second") as tell:
        scores = files.live / "decisions.parquet"
        present = replay(
            deployment, live, rate=wishes.events_per_s, out=scores, tiers=tiers[:1], display=_Told(tell, live.events)
        )
    with steps.step("wait until the slow tier has everything in the lake") as tell:
        _wait_archived(deployment, tiers[1], tell)
    with steps.step("reconcile: has every event ended in exactly one way?") as tell:
        check_alive(tiers)
        books = reconcile(deployment, lambda topic, count: tell(f"{topic}: {count:,} records"))
    return DemoReport(
        **{name: getattr(books, name) for name in _BOOKED},
        labels=past.labels + present.labels,
        outcomes=_sum(past, present),
        history_events=history.events,
        history_events_per_s=past.events_per_s,
        live_events=live.events,
        live_events_per_s=present.events_per_s,
        latency_ms=present.latency_ms,
        peak_memory_bytes=memory.peak_bytes,
        seconds=dict(steps.seconds),
        balanced=books.balanced,
        verdict=books.verdict(),
        example=demo_payments.example(scores),
    )


_BOOKED = ("events", "decisions", "folded", "duplicates", "dead_letters", "missing", "degraded", "conflicts")


def _check_machine(settings: StackSettings) -> None:
    problems = [finding for finding in examine(settings) if finding.state == "problem"]
    if problems:
        raise UserError(
            "This machine is not ready:\n" + "\n".join(f"  {each.check}: {each.detail}" for each in problems),
            "\n".join(f"  {each.check}: {each.remedy}" for each in problems),
        )


@contextmanager
def _stack(settings: StackSettings, steps: Steps) -> Iterator[None]:
    """Kafka and HBase, running; stopped at the end whoever started them: the demo leaves no process."""
    with ExitStack() as ending:
        ending.callback(_stop_stack, settings, steps)
        with steps.step("bring up Kafka and HBase") as tell:
            up(settings, PARTS, lambda progress: tell(_describe(progress)))
            tell("fetching Spark's connector to Kafka")
            spark_jars()
        yield


def _stop_stack(settings: StackSettings, steps: Steps) -> None:
    with undisturbed(), steps.step("stop Kafka and HBase; their data stay"):
        down(settings, PARTS)


@contextmanager
def _tiers(deployment: Deployment, steps: Steps) -> "Iterator[tuple[Tier, Tier]]":
    """Both tiers, started and not yet ready; Spark gets up while payments are simulated."""
    shutil.rmtree(deployment.tier_logs, ignore_errors=True)
    started: list[Tier] = []
    try:
        fast = start_realtime(deployment)
        started.append(fast)
        slow = start_streaming(deployment)
        started.append(slow)
        yield fast, slow
    finally:
        with undisturbed(), steps.step("stop the tiers"):
            stop_all(started)


def _wait_archived(deployment: Deployment, slow: Tier, tell: Tell) -> None:
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    ends = {topic: kafka.end_offsets(bootstrap, names.topic(topic)) for topic in _ARCHIVED}
    wait_archived(deployment, ends, tier=slow, on_turn=lambda: tell("not yet"))


class _Told(Silent):
    """A replay's progress as what a step says."""

    def __init__(self, tell: Tell, events: int) -> None:
        self._tell = tell
        self._events = events

    def told(self, sent: int, decided: int) -> None:
        self._tell(f"{sent:,} of {self._events:,} sent, {decided:,} decided")


def _describe(progress: StackProgress) -> str:
    if progress.total_bytes:
        return f"fetching {progress.done_bytes / 1e6:.0f} of {progress.total_bytes / 1e6:.0f} MB of Java parts"
    return f"{progress.part} {progress.state}"


def _sum(*reports: ReplayReport) -> dict[str, int]:
    names = sorted({name for report in reports for name in report.outcomes})
    return {name: sum(report.outcomes.get(name, 0) for report in reports) for name in names}
