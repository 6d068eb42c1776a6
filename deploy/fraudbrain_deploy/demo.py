"""The demo: the whole platform on this machine, a history and a live stretch of payments, and their books."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fraudbrain_deploy import demo_payments, kafka, spaces
from fraudbrain_deploy.demo_report import DemoReport, live_account
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.doctor import examine
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing import event_stream
from fraudbrain_deploy.interruption import undisturbed
from fraudbrain_deploy.memory import PeakMemory
from fraudbrain_deploy.reconcile import reconcile
from fraudbrain_deploy.replay import ReplayReport, replay
from fraudbrain_deploy.replaying import controls_log
from fraudbrain_deploy.replaying.display import Silent
from fraudbrain_deploy.replaying.hindsight import Since, review
from fraudbrain_deploy.replaying.stepping import Stepping
from fraudbrain_deploy.replaying.waiting import wait_archived
from fraudbrain_deploy.stack import StackSettings, down, spark_jars, status, up
from fraudbrain_deploy.stack.lifecycle import Progress as StackProgress
from fraudbrain_deploy.steps import Steps, Tell
from fraudbrain_deploy.tiers import Tier, check_alive, start_realtime, start_streaming, stop_all, wait_ready

PARTS = ("kafka", "hbase", "thrift", "mlflow")
READY_S = 240.0
"""Spark needs 10 s on a quiet machine; a small busy one took 45."""

STEP_MS = 86_400_000
_ARCHIVED = ("events", "decisions", "labels")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the demo is to show: so many payments a second, for so long."""

    events_per_s: float
    live_s: float

    @property
    def live_events(self) -> int:
        return max(1, round(self.events_per_s * self.live_s))


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
    fast, slow = tiers
    with steps.step("simulate payments, frauds among them, and labels that come late") as tell:
        files = demo_payments.make(deployment.data / "demo", wishes.live_events, tell)
        history = event_stream(deployment.scenario, files.history)
    with steps.step("start the fast tier and the slow tier") as tell:
        wait_ready(deployment, tiers, READY_S, tell)
    with steps.step(f"replay a history of {history.events:,} payments day by day; then a model learns from it") as tell:
        stepping = Stepping(STEP_MS, at_end=True)
        told = _Told(tell, history.events)
        past = replay(deployment, history, stepping=stepping, tiers=[fast], slow=slow, display=told)
    since = _now(deployment)
    waves = f"an attack of {len(files.attack.events)} payments and a rush of {len(files.rush.events)} good ones"
    with steps.step(f"live, {files.storm_per_s:.0f} payments a second: {waves}, at terminals of their own") as tell:
        storm = _live(deployment, files.storm, files.storm_per_s, fast, tell)
    with steps.step(f"live, {wishes.events_per_s:g} payments a second, {wishes.live_events:,} in all") as tell:
        load = _live(deployment, files.load, wishes.events_per_s, fast, tell)
    with steps.step("wait until the slow tier has everything in the lake") as tell:
        _wait_archived(deployment, slow, tell)
    with steps.step("reconcile: has every event ended in exactly one way?") as tell:
        check_alive(tiers)
        books = reconcile(deployment, lambda topic, count: tell(f"{topic}: {count:,} records"))
    with steps.step("decide again in hindsight: what did the parameters and the model change?"):
        moves, releases = controls_log.moves(deployment), controls_log.releases(deployment)
        reviewed = review(deployment, since, releases)
        account = live_account(reviewed, moves, files.attack, files.rush, files.labels())
    return DemoReport(
        **{name: getattr(books, name) for name in _BOOKED},
        labels=past.labels,
        outcomes=_sum(past, storm, load),
        history_events=history.events,
        history_events_per_s=past.events_per_s,
        live_events=sum(load.outcomes.values()),
        live_events_per_s=load.events_per_s,
        latency_ms=load.latency_ms,
        moves=len(moves),
        releases=[each.version for each in releases],
        history_loop=past.loop,
        live=account,
        peak_memory_bytes=memory.peak_bytes,
        seconds=dict(steps.seconds),
        balanced=books.balanced,
        verdict=books.verdict(),
        example=demo_payments.example(_scores(files.load)),
    )


def _live(deployment: Deployment, folder: Path, events_per_s: float, fast: Tier, tell: Tell) -> ReplayReport:
    live = event_stream(deployment.scenario, demo_payments.happening_now(folder, events_per_s))
    told = _Told(tell, live.events)
    return replay(deployment, live, rate=events_per_s, out=_scores(folder), tiers=[fast], display=told)


def _scores(folder: Path) -> Path:
    return folder / "decisions.parquet"


def _now(deployment: Deployment) -> Since:
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    return Since(*(kafka.end_offsets(bootstrap, names.topic(topic)) for topic in ("events", "decisions")))


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
    """Kafka, HBase and MLflow, running; stopped at the end whoever started them: the demo leaves no process."""
    with ExitStack() as ending:
        ending.callback(_stop_stack, settings, steps)
        with steps.step("bring up Kafka, HBase and MLflow") as tell:
            up(settings, PARTS, lambda progress: tell(_describe(progress)))
            tell("fetching Spark's connector to Kafka")
            spark_jars()
        yield


def _stop_stack(settings: StackSettings, steps: Steps) -> None:
    with undisturbed(), steps.step("stop Kafka, HBase and MLflow; their data stay"):
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
        self._step = ""

    def told(self, sent: int, decided: int) -> None:
        self._tell(f"{self._step}{sent:,} of {self._events:,} sent, {decided:,} decided")

    def stepped(self, step: int, of: int, date_ms: int, moves: int) -> None:
        self._step = f"day {step} of {of}, {moves:,} moves; "


def _describe(progress: StackProgress) -> str:
    if progress.total_bytes:
        return f"fetching {progress.done_bytes / 1e6:.0f} of {progress.total_bytes / 1e6:.0f} MB of Java parts"
    return f"{progress.part} {progress.state}"


def _sum(*reports: ReplayReport) -> dict[str, int]:
    names = sorted({name for report in reports for name in report.outcomes})
    return {name: sum(report.outcomes.get(name, 0) for report in reports) for name in names}
