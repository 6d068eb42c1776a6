"""A replay: a file of events through the real path, and the account of what became of every one of them.

The stack, the space and a worker of the fast tier must be there already (`replay_command` sees to that).
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.importing import EventSource
from fraudbrain_deploy.reconcile import reconcile
from fraudbrain_deploy.replaying import controls_log, scores
from fraudbrain_deploy.replaying.display import Display, Silent
from fraudbrain_deploy.replaying.hindsight import Since, review
from fraudbrain_deploy.replaying.loop_report import LoopReport, loop_report
from fraudbrain_deploy.replaying.reading import DecisionReader, DecisionsRead
from fraudbrain_deploy.replaying.report import ReplayReport
from fraudbrain_deploy.replaying.sending import Sent, send
from fraudbrain_deploy.replaying.stepping import Stepping, send_in_steps
from fraudbrain_deploy.replaying.waiting import wait_archived, wait_decided
from fraudbrain_deploy.tiers import Tier, check_alive

__all__ = ["ReplayReport", "replay"]

_ARCHIVED = ("events", "decisions", "labels", "dead-letters")


def replay(
    deployment: Deployment,
    source: EventSource,
    *,
    rate: float | None = None,
    stepping: Stepping | None = None,
    out: Path | None = None,
    group: str = "a",
    tiers: Sequence[Tier] = (),
    slow: Tier | None = None,
    display: Display | None = None,
) -> ReplayReport:
    """Sends `source` at `rate` events/s or step by step, else as fast as it goes; waits for the last decision.

    `group` is the fast tier's. `tiers` and `slow` were started by the caller: if one ends the replay does,
    and `slow` is awaited too. With `stepping` a slow tier must run, whoever started it; the report then tells
    of the loop. Decisions go to `out` as Parquet. Raises UserError when it cannot go on.
    """
    began = time.monotonic()
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    events, decisions = names.topic("events"), names.topic("decisions")
    watched = [*tiers, *([slow] if slow else [])]
    start = _start(deployment)
    with (
        tempfile.TemporaryDirectory(prefix="fraudbrain-replay-") as folder,
        DecisionReader(
            bootstrap,
            decisions,
            start=start.since.decisions,
            events_since=start.since.events,
            file=Path(folder) / "decisions.parquet",
        ) as reader,
        display or Silent() as screen,
    ):
        alive = _EverySecond(lambda: check_alive(watched))

        def on_turn(sent: Sent) -> None:
            alive()
            screen.told(sent.events, reader.decided)

        def decided(ends: kafka.Offsets, sent: Sent) -> None:
            wait_decided(deployment, ends, group=group, tiers=watched, on_turn=lambda: on_turn(sent))

        screen.says(_intent(source, rate, stepping))
        if stepping is None:
            sent = send(bootstrap, names, source, rate=rate, build=_build(), on_turn=on_turn)
        else:
            sent = send_in_steps(
                deployment, source, stepping, build=_build(), wait_decided=decided, on_turn=on_turn, screen=screen
            )
        decided(kafka.end_offsets(bootstrap, events), sent)
        read = reader.finish(kafka.end_offsets(bootstrap, decisions))
        screen.told(sent.events, reader.decided)
        if slow:
            screen.says("all decided; waiting for the slow tier's archive")
            archived = {topic: kafka.end_offsets(bootstrap, names.topic(topic)) for topic in _ARCHIVED}
            wait_archived(deployment, archived, tier=slow, on_turn=lambda: on_turn(sent))
        screen.says("all decided; accounting for every event")
        first = scores.with_latency(scores.first_decisions(read), source, sent, rate)
        if out is not None:
            scores.write(first, out)
        loop = None if stepping is None else _loop(deployment, source, first, start, stepping)
        return _report(deployment, source, sent, read, first, pace=_pace(rate, stepping), loop=loop, began=began)


@dataclass(frozen=True, slots=True)
class _Start:
    """Where the topics end before the first event is sent."""

    since: Since
    parameters: kafka.Offsets
    models: kafka.Offsets


def _start(deployment: Deployment) -> _Start:
    def ends(topic: str) -> kafka.Offsets:
        return kafka.end_offsets(deployment.stack.kafka_bootstrap, deployment.names.topic(topic))

    return _Start(Since(ends("events"), ends("decisions")), ends("parameters"), ends("models"))


class _EverySecond:
    """Calls at most once a second."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._due = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + 1
            self._call()


def _loop(
    deployment: Deployment, source: EventSource, first: pa.Table, start: _Start, stepping: Stepping
) -> LoopReport:
    releases = controls_log.releases(deployment)
    return loop_report(
        review(deployment, start.since, releases),
        first,
        source.truth(),
        moves=controls_log.moves(deployment, start.parameters),
        releases=controls_log.releases(deployment, start.models),
        steps=len(stepping.schedule(source)),
    )


def _report(
    deployment: Deployment,
    source: EventSource,
    sent: Sent,
    read: DecisionsRead,
    first: pa.Table,
    *,
    pace: str,
    loop: LoopReport | None,
    began: float,
) -> ReplayReport:
    last_ns = max(scores.last_received_ns(first), sent.finished_ns)
    seconds = (last_ns - sent.started_ns) / 1e9
    books = reconcile(deployment)
    return ReplayReport(
        scenario=deployment.scenario.name,
        space=deployment.names.space,
        source=source.name,
        pace=pace,
        rows=source.rows,
        mapping=source.mapping,
        labels=sent.labels,
        events=books.events,
        decisions=books.decisions,
        folded=books.folded,
        duplicates=books.duplicates,
        dead_letters=books.dead_letters,
        missing=books.missing,
        degraded=books.degraded,
        repeated=books.repeated,
        old_duplicates=books.old_duplicates,
        conflicts=books.conflicts,
        outcomes=scores.outcomes(first),
        events_per_s=round(sent.events / seconds, 1) if seconds else 0.0,
        sent_s=round((sent.finished_ns - sent.started_ns) / 1e9, 3),
        seconds=round(seconds, 3),
        minutes=round((time.monotonic() - began) / 60, 3),
        latency_ms=scores.latency(first),
        versions=read.versions,
        balanced=books.balanced,
        verdict=books.verdict(),
        loop=loop,
    )


def _intent(source: EventSource, rate: float | None, stepping: Stepping | None) -> str:
    if stepping is not None:
        pace = f"in {len(stepping.schedule(source)):,} steps of event time"
    else:
        pace = "as fast as it goes" if rate is None else f"at {rate:g}/s, {source.events / rate:.0f} s"
    aside = f"; {source.mapping:,} rows could not be read and are put aside" if source.mapping else ""
    return f"sending {source.events:,} events of {source.name} {pace}, {source.labels:,} labels{aside}"


def _pace(rate: float | None, stepping: Stepping | None) -> str:
    if stepping is not None:
        return f"{stepping.length_ms / 3_600_000:g}h"
    return "max" if rate is None else f"{rate:g}"


def _build() -> str:
    return f"fraudbrain-deploy {version('fraudbrain-deploy')}"
