"""A replay: a file of events through the real path, and the account of what became of every one of them.

The stack, the space and a worker of the fast tier must be there already (`replay_command` sees to that).
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.importing import EventSource
from fraudbrain_deploy.reconcile import reconcile
from fraudbrain_deploy.replaying import scores
from fraudbrain_deploy.replaying.display import Display, Silent
from fraudbrain_deploy.replaying.reading import DecisionReader, DecisionsRead
from fraudbrain_deploy.replaying.report import ReplayReport
from fraudbrain_deploy.replaying.sending import Sent, send
from fraudbrain_deploy.replaying.waiting import wait_archived, wait_decided
from fraudbrain_deploy.tiers import Tier, check_alive

__all__ = ["ReplayReport", "replay"]

_ARCHIVED = ("events", "decisions", "labels", "dead-letters")


def replay(
    deployment: Deployment,
    source: EventSource,
    *,
    rate: float | None = None,
    out: Path | None = None,
    group: str = "a",
    tiers: Sequence[Tier] = (),
    slow: Tier | None = None,
    display: Display | None = None,
) -> ReplayReport:
    """Sends `source` at `rate` events/s, as fast as it goes without one, and waits for the last decision.

    `group` is the fast tier's. `tiers` and `slow` were started by the caller: if one ends the replay does,
    and `slow` is awaited too. Decisions go to `out` as Parquet. Raises UserError when it cannot go on.
    """
    began = time.monotonic()
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    events, decisions = names.topic("events"), names.topic("decisions")
    watched = [*tiers, *([slow] if slow else [])]
    with (
        tempfile.TemporaryDirectory(prefix="fraudbrain-replay-") as folder,
        DecisionReader(
            bootstrap,
            decisions,
            start=kafka.end_offsets(bootstrap, decisions),
            events_since=kafka.end_offsets(bootstrap, events),
            file=Path(folder) / "decisions.parquet",
        ) as reader,
        display or Silent() as screen,
    ):
        alive = _EverySecond(lambda: check_alive(watched))

        def on_turn(sent: Sent) -> None:
            alive()
            screen.told(sent.events, reader.decided)

        screen.says(_intent(source, rate))
        sent = send(bootstrap, names, source, rate=rate, build=_build(), on_turn=on_turn)
        ends = kafka.end_offsets(bootstrap, events)
        wait_decided(deployment, ends, group=group, tiers=watched, on_turn=lambda: on_turn(sent))
        read = reader.finish(kafka.end_offsets(bootstrap, decisions))
        screen.told(sent.events, reader.decided)
        if slow:
            screen.says("all decided; waiting for the slow tier's archive")
            archived = {topic: kafka.end_offsets(bootstrap, names.topic(topic)) for topic in _ARCHIVED}
            wait_archived(deployment, archived, tier=slow, on_turn=lambda: on_turn(sent))
        screen.says("all decided; accounting for every event")
        return _report(deployment, source, sent, read, rate=rate, out=out, began=began)


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


def _report(
    deployment: Deployment,
    source: EventSource,
    sent: Sent,
    read: DecisionsRead,
    *,
    rate: float | None,
    out: Path | None,
    began: float,
) -> ReplayReport:
    first = scores.with_latency(scores.first_decisions(read), source, sent, rate)
    if out is not None:
        scores.write(first, out)
    last_ns = max(scores.last_received_ns(first), sent.finished_ns)
    seconds = (last_ns - sent.started_ns) / 1e9
    books = reconcile(deployment)
    return ReplayReport(
        scenario=deployment.scenario.name,
        space=deployment.names.space,
        source=source.name,
        pace="max" if rate is None else f"{rate:g}",
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
    )


def _intent(source: EventSource, rate: float | None) -> str:
    pace = "as fast as it goes" if rate is None else f"at {rate:g}/s, {source.events / rate:.0f} s"
    aside = f"; {source.mapping:,} rows could not be read and are put aside" if source.mapping else ""
    return f"sending {source.events:,} events of {source.name} {pace}, {source.labels:,} labels{aside}"


def _build() -> str:
    return f"fraudbrain-deploy {version('fraudbrain-deploy')}"
