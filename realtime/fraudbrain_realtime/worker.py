"""A worker: one process that puts the loop on its real parts, and runs and stops it."""

import logging
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

from fraudbrain_realtime.controls import CONTROL_TOPICS, STEP_ENDS, ControlFeed, Controls, PreparationAside
from fraudbrain_realtime.controls.feed import StepUnknown
from fraudbrain_realtime.controls.snapshot import SNAPSHOT, SnapshotUnusable, SnapshotWriter, read_snapshot
from fraudbrain_realtime.garbage import GarbageCollection
from fraudbrain_realtime.generation import take_up
from fraudbrain_realtime.journal import FileJournal
from fraudbrain_realtime.kafka.broker import KafkaBroker
from fraudbrain_realtime.kafka.failure import BrokerFailed
from fraudbrain_realtime.kafka.log_topic import log_topic
from fraudbrain_realtime.kafka.topic_tail import TopicTail
from fraudbrain_realtime.keeper.process import KeeperProcess
from fraudbrain_realtime.loop import Loop
from fraudbrain_realtime.metrics import Tally
from fraudbrain_realtime.reporting import Reporting
from fraudbrain_realtime.rows import WrongEpoch
from fraudbrain_realtime.settings import Settings
from fraudbrain_realtime.stores.hbase import Gateway, ProfileTable, create_table
from fraudbrain_shared.controls import own_rules, scenario_release
from fraudbrain_shared.decisions import DecisionCore, Origin
from fraudbrain_shared.features import ProfileFold, fold_hash
from fraudbrain_shared.models import warm_up
from fraudbrain_shared.records.epoch import LOG_TOPICS
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.beginning import beginning_at
from fraudbrain_shared.scenario.load import find_scenario, read_folder
from fraudbrain_shared.scenario.parse import parse_scenario
from fraudbrain_shared.topics import Names

log = logging.getLogger(__name__)

IDLE_WAIT_S = 0.05
CONTROLS_EVERY_S = 0.1
PROGRESS_EVERY_S = 1.0


class Worker:
    """Raises on construction what makes a start pointless: ScenarioError, StoreUnavailable,
    BrokerFailed, WrongEpoch."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        names = Names(settings.space)
        files = read_folder(find_scenario(settings.scenario))
        scenario = parse_scenario(files)
        self._release = scenario_release(files)
        build = f"fraudbrain-realtime {version('fraudbrain-realtime')}"
        self._gateway = _prepare_store(settings, names)
        profiles = names.table(f"profiles.{settings.group}")
        self._keeper = KeeperProcess(_keeper_program(settings, profiles))
        topics = {name: log_topic(settings.bootstrap, names.topic(name)) for name in LOG_TOPICS}
        standing = take_up(self._gateway, names.table("meta"), settings.group, topics=topics, folds=fold_hash(scenario))
        scenario, since = beginning_at(scenario, standing.since)
        fold = ProfileFold(scenario, since)
        self._control_topics = TopicTail(settings.bootstrap, names, (*CONTROL_TOPICS, STEP_ENDS))
        self._preparation = PreparationAside(files)
        state = settings.state_dir / settings.space
        self._snapshot = state / SNAPSHOT
        warm_up()  # compiling the kernel takes seconds: not once events are waiting
        core = DecisionCore(scenario, own_rules(scenario), Origin(settings.group, standing.generation, build), fold)
        _ = core.without_profile  # compiling it takes a while too
        self._controls, self._feed = self._start_controls(scenario, core)
        snapshots = self._snapshots = SnapshotWriter(
            self._snapshot,
            settings.worker,
            self._release,
            self._controls,
            self._feed,
            settings.snapshot_every_s,
        )
        store = ProfileTable(self._gateway, profiles)
        store.warm_up()
        self._keeper.wait_ready()  # who takes partitions and cannot flush has the next owner decide all again
        self._broker = KafkaBroker(
            bootstrap=settings.bootstrap,
            names=names,
            group=settings.group,
            epoch=standing.epoch,
            owner=lambda: self._loop,
            batch_limit=settings.batch_limit,
            in_flight=settings.in_flight_limit,
        )
        tally = Tally(lambda: time.time() * 1000)
        self._loop = Loop(
            scenario=scenario,
            fold=fold,
            controls=self._controls,
            feed=self._feed,
            broker=self._broker,
            store=store,
            keeper=self._keeper,
            journal=FileJournal(state / settings.group / topics["events"].id, standing.epoch),
            clock=time.monotonic,
            epoch=standing.epoch,
            events_topic=names.topic("events"),
            worker=settings.worker,
            build=build,
            limits=settings.limits,
            tally=tally,
            answer_key=names.answer if settings.redis else None,
        )
        self._reporting = Reporting(
            settings,
            release=self._release,
            build=build,
            loop=self._loop,
            tally=tally,
            broker=self._broker,
            keeper=self._keeper,
            breaker=store.breaker,
            controls=self._controls,
            feed=self._feed,
            control_topics=self._control_topics,
            snapshots=snapshots,
        )

    def _start_controls(self, scenario: Scenario, core: DecisionCore) -> tuple[Controls, ControlFeed]:
        """Controls as the topics say, read to their ends; where these do not answer, as the last snapshot does.

        Raises BrokerFailed where there is neither: no event is decided by controls that nobody knows.
        """

        def nothing_taken() -> tuple[Controls, ControlFeed]:
            most = self._settings.most_entities
            controls = Controls(scenario, lambda _: core, self._preparation, most_entities=most)
            return controls, ControlFeed(controls, topics.read_new)

        topics = self._control_topics
        controls, feed = nothing_taken()
        try:
            for records in topics.read_to_end():
                feed.start(records)
            return controls, feed
        except BrokerFailed as failed:
            try:
                snapshot = read_snapshot(
                    self._snapshot, self._release, now_ms=_wall_ms(), max_age_s=self._settings.snapshot_max_age_s
                )
            except SnapshotUnusable as unusable:
                raise BrokerFailed(f"{failed} And {unusable}") from None
            log.warning("%s Starting with the controls of %s.", failed, self._snapshot)
        controls, feed = nothing_taken()
        feed.resume(snapshot.records(), snapshot.offsets)
        topics.go_on_from(snapshot.offsets, age_ms=_wall_ms() - snapshot.as_of_ms)
        return controls, feed

    def run(self, stopping: Callable[[], bool]) -> None:
        """Decides until told to stop, then flushes, commits and leaves the group."""
        try:
            self._decide_until(stopping)
        except (BrokerFailed, StepUnknown, WrongEpoch):
            self._loop.put_down()  # no event is to blame
            raise
        finally:
            self._keeper.close()
        log.info("stopped; %s", dict(self._loop.counts))

    def _decide_until(self, stopping: Callable[[], bool]) -> None:
        garbage = GarbageCollection(time.monotonic)
        garbage.begin()
        self._reporting.begin()
        controls_due = progress_due = time.monotonic()
        while not stopping():
            taken = self._loop.turn(IDLE_WAIT_S)
            garbage.turned(is_idle=not taken)
            now = time.monotonic()
            if now >= controls_due:
                is_changed = self._feed.refresh()
                self._snapshots.go_on(_wall_ms() - self._control_topics.age_ms())
                controls_due = now + CONTROLS_EVERY_S
                if is_changed:  # somebody may wait for it
                    progress_due = now
            if now >= progress_due:
                self._reporting.say()
                progress_due = now + PROGRESS_EVERY_S
        self._stop()

    def _stop(self) -> None:
        settled = self._loop.settle(time.monotonic() + self._settings.stop_timeout_s)
        if not settled:
            log.warning("stopped before all was flushed and committed: it is decided again at the next start")
        self._broker.close()
        self._control_topics.close()
        self._preparation.close()
        self._snapshots.finish()
        self._gateway.close()


def _prepare_store(settings: Settings, names: Names) -> Gateway:
    host, port = settings.thrift_host, settings.thrift_port
    create_table(host, port, names.table("meta"), b"m")
    create_table(host, port, names.table(f"profiles.{settings.group}"), b"p")
    return Gateway(host, port)


def _keeper_program(settings: Settings, table: str) -> list[str]:
    store = ["--thrift", f"{settings.thrift_host}:{settings.thrift_port}", "--table", table]
    answers = ["--redis", settings.redis] if settings.redis else []
    shown = settings.metrics_port is not None
    metrics = ["--metrics", f"{settings.metrics_host}:{settings.metrics_port}"] if shown else []
    logs = ["--worker", settings.worker, "--log-level", settings.log_level, "--log-format", settings.log_format]
    return [sys.executable, "-m", "fraudbrain_realtime.keeper", *store, *answers, *metrics, *logs]


def _wall_ms() -> int:
    return int(time.time() * 1_000)
