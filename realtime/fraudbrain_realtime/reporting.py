"""What a worker says of itself once a second: its progress on the topic, and its metrics to whoever asks its keeper."""

from collections.abc import Iterator
from typing import Final

import msgspec

from fraudbrain_realtime.controls import ControlFeed, Controls
from fraudbrain_realtime.controls.snapshot import SnapshotWriter
from fraudbrain_realtime.kafka.broker import KafkaBroker
from fraudbrain_realtime.kafka.topic_tail import TopicTail
from fraudbrain_realtime.keeper.process import KeeperProcess
from fraudbrain_realtime.loop import Loop
from fraudbrain_realtime.metrics import Distribution, Family, Measured, Tally
from fraudbrain_realtime.metrics.measured import counter, counters, gauge, gauges
from fraudbrain_realtime.metrics.memory import resident_bytes
from fraudbrain_realtime.metrics.pauses import Pauses
from fraudbrain_realtime.settings import Settings
from fraudbrain_realtime.stores.breaker import Breaker
from fraudbrain_shared.records import Progress

CONTROLS_AGE: Final = "controls_age_ms"
"""The count that says how long ago the control topics last answered."""
CONTROLS_STALE_MS: Final = 30_000


class Reporting:
    """Reads the worker's parts, and changes nothing."""

    def __init__(
        self,
        settings: Settings,
        *,
        release: str,
        build: str,
        loop: Loop,
        tally: Tally,
        broker: KafkaBroker,
        keeper: KeeperProcess,
        breaker: Breaker,
        controls: Controls,
        feed: ControlFeed,
        control_topics: TopicTail,
        snapshots: SnapshotWriter,
    ) -> None:
        self._settings = settings
        self._release = release
        self._build = build
        self._loop = loop
        self._tally = tally
        self._broker = broker
        self._keeper = keeper
        self._breaker = breaker
        self._controls = controls
        self._feed = feed
        self._control_topics = control_topics
        self._snapshots = snapshots
        self._pauses = Pauses()
        self._labels = {"group": settings.group, "worker": settings.worker}

    def begin(self) -> None:
        """Watches the garbage collector from now on."""
        self._pauses.watch()

    def say(self) -> None:
        """Publishes the progress, and has the keeper show the metrics."""
        age_ms = self._control_topics.age_ms()
        problems = (*self._loop.problems, *self._controls.problems, *self._own_problems(age_ms))
        settings = self._settings
        progress = Progress(
            tier="realtime",
            worker=settings.worker,
            offsets={"events": self._loop.offsets()} | {topic: {"0": at} for topic, at in self._feed.offsets().items()},
            ready=True,
            versions={**self._controls.versions, "scenario_release": self._release},
            problems=problems,
            counts={**self._loop.counts, **self._controls.counts, **self._keeper.counts, CONTROLS_AGE: age_ms},
            metrics=f"{settings.metrics_host}:{self._keeper.metrics_port}" if self._keeper.metrics_port else "",
        )
        key = f"realtime|{settings.group}|{settings.worker}".encode()
        self._broker.produce("progress", key, msgspec.json.encode(progress), [], None, lambda: None)
        if settings.metrics_port is not None:
            families, distributions = list(self._families(age_ms)), list(self._distributions())
            self._keeper.show(Measured(self._loop.takes_events, problems, self._labels, families, distributions))

    def _own_problems(self, age_ms: int) -> Iterator[str]:
        """That the controls' topics do not answer, that they cannot be kept for another start, or that nobody sees how
        the worker is."""
        if self._snapshots.problem:
            yield self._snapshots.problem
        if age_ms > CONTROLS_STALE_MS:
            yield f"the control topics have not answered for {age_ms // 1_000} s: what was known decides"
        host, port = self._settings.metrics_host, self._settings.metrics_port
        if port is not None and not self._keeper.metrics_port:
            yield f"metrics are not shown: somebody else listens at {host}:{port}"

    def _families(self, age_ms: int) -> Iterator[Family]:
        tally, loop, counts = self._tally, self._loop, self._loop.counts
        yield counters("events_total", "Events by how they ended.", "end", tally.ends)
        yield counters("dead_letters_total", "Events put aside, by reason.", "reason", tally.dead_letters)
        yield counters("degraded_total", "What decisions lacked, by reason.", "reason", tally.degraded)
        yield counter("overdue_total", "Decisions on events polled past their type's deadline.", tally.overdue)
        yield counter("loads_failed_total", "Reads of the profile store that failed.", tally.loads_failed)
        yield gauges("lag_events", "Events in the log that are not decided yet.", "partition", self._lag())
        yield gauges("flush_age_seconds", "Age of the oldest unflushed change.", "partition", loop.flush_ages())
        yield gauge("profiles", "Profiles in memory.", counts.get("profiles", 0))
        yield gauge("held_events", "Events decided without their profile and not folded yet.", counts.get("held", 0))
        yield gauge("unacknowledged", "Records sent that the broker has not acknowledged.", self._broker.unacknowledged)
        yield gauge("store_breaker_open", "1 while the profile store is not asked.", float(not self._breaker.is_closed))
        yield gauge("controls_age_seconds", "Since the control topics answered last.", age_ms / 1_000)
        yield gauge("memory_bytes", "Resident memory of the worker, without its children.", resident_bytes())
        for name, count in {**self._controls.counts, **self._keeper.counts}.items():
            yield counter(f"{name}_total", _HELP.get(name, name.replace("_", " ")), count)
        versions = {**self._controls.versions, "scenario": self._release, "build": self._build}
        yield Family("version_info", "What decides.", "gauge", [(versions, 1.0)])

    def _lag(self) -> dict[str, float]:
        ends = self._broker.ends()
        return {
            str(number): float(max(0, ends[number] - position))
            for number, position in self._loop.positions().items()
            if number in ends
        }

    def _distributions(self) -> Iterator[Distribution]:
        about = "From an event's append time until its end was acknowledged."
        yield Distribution.of("latency_seconds", about, self._tally.latency)
        yield Distribution.of("turn_seconds", "A turn of the loop that took events.", self._tally.turns)
        yield Distribution.of("gc_pause_seconds", "Garbage collections, which stop the worker.", self._pauses.seconds)


_HELP: Final = {
    "keeper_restarts": "Keepers that died or were stuck.",
    "answers_dropped": "Decisions that were not told to Redis for want of room.",
    "controls_rejected": "Control records that were rejected.",
}
