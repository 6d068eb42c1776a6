"""The slow tier's application: puts the archive together, runs it until it is told to stop."""

import logging
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from fraudbrain_shared.admission import Admission
from fraudbrain_shared.records import Progress
from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.topics import Names
from fraudbrain_streaming import spark as spark_session
from fraudbrain_streaming.hbase import Store
from fraudbrain_streaming.jobs.archive import query as archive_query
from fraudbrain_streaming.jobs.archive.archive import Archive, Shelf
from fraudbrain_streaming.jobs.archive.dead_letters import DeadLetters
from fraudbrain_streaming.jobs.archive.decisions import Decisions
from fraudbrain_streaming.jobs.archive.decoder import Decoder, table_schema
from fraudbrain_streaming.jobs.archive.events import Events
from fraudbrain_streaming.jobs.archive.first_wins import FirstWins
from fraudbrain_streaming.jobs.archive.labels import Labels
from fraudbrain_streaming.jobs.archive.lake_table import LakeTable
from fraudbrain_streaming.kafka import ProgressTopic, TopicLog, topic_logs
from fraudbrain_streaming.settings import Settings

_LOG = logging.getLogger(__name__)


class BatchFailed(Exception):
    """A batch could not be filed; the cause was logged. Its text holds no payload, since Spark prints it."""


class Application:
    """One run of the slow tier over one space."""

    def __init__(self, settings: Settings, store: Store, progress: ProgressTopic) -> None:
        names = Names(settings.space)
        self._settings = settings
        self._progress = progress
        self._told_of_a_batch = False
        self._telling = threading.Lock()
        self._shelves, logs = _shelves(settings, names)
        tables = {topic: shelf.table for topic, shelf in self._shelves.items()}
        self._starts = {topic: archive_query.next_offsets(table, logs[topic]) for topic, table in tables.items()}
        self._checkpoint = archive_query.checkpoint(settings.checkpoints, tables)
        store.create_table(names.table("decisions"))
        rows = FirstWins(store, table=names.table("decisions"), generation=settings.generation)
        self._archive = Archive(self._shelves, rows)

    def run(self, stop: threading.Event) -> bool:
        """Archive until `stop` is set. False if the query failed instead; the cause was logged."""
        settings = self._settings
        spark = spark_session.session("fraudbrain", jars=settings.jars, driver_memory=settings.driver_memory)
        query = None
        at_start = self._progress_now()
        try:
            query = archive_query.start(
                spark,
                bootstrap=settings.bootstrap,
                starts=self._starts,
                checkpoint=self._checkpoint,
                records_per_batch=settings.records_per_batch,
                trigger_ms=settings.trigger_ms,
                file=self._file,
            )
            _LOG.info("archive is up: space=%s lake=%s", settings.space, settings.lake)
            self._tell_start(at_start)
            if spark_session.follow(query, stop):
                return True
            _LOG.error("archive ended: %s", archive_query.cause(spark_session.failure(query)))
            return False
        finally:
            spark_session.end(spark, query)

    def _file(self, batch_id: int, batch: pa.Table) -> None:
        try:
            self._archive.file(batch_id, batch)
        except Exception as error:
            _LOG.error("archive batch=%d failed: %s", batch_id, _told(error))
            raise BatchFailed(f"batch {batch_id}: {type(error).__name__}; see the line above") from None
        with self._telling:
            self._told_of_a_batch = True
            self._progress.publish(self._progress_now())

    def _tell_start(self, progress: Progress) -> None:
        """Say that the query is up, unless a batch, on the query's own thread, has said more already."""
        with self._telling:
            if not self._told_of_a_batch:
                self._progress.publish(progress)

    def _progress_now(self) -> Progress:
        offsets = {
            shelf.name: {str(number): shelf.table.next_offset(number) or start for number, start in starts.items()}
            for shelf, starts in ((self._shelves[topic], starts) for topic, starts in self._starts.items())
        }
        return Progress(tier="streaming", worker=self._settings.worker, offsets=offsets, ready=True)


def run(settings: Settings, stop: threading.Event) -> bool:
    """Run the slow tier until `stop` is set. False if it failed; the cause was logged."""
    progress = ProgressTopic(settings.bootstrap, Names(settings.space).topic("progress"))
    try:
        with Store(settings.thrift) as store:
            return Application(settings, store, progress).run(stop)
    finally:
        progress.close()


def _shelves(settings: Settings, names: Names) -> tuple[dict[str, Shelf], Mapping[str, TopicLog]]:
    """A shelf for each topic with history, by the topic's full name; and the topics as they are now."""
    admission = Admission(load_scenario(settings.scenario))
    decoders: dict[str, Decoder] = {
        "events": Events(admission),
        "decisions": Decisions(),
        "labels": Labels(),
        "dead-letters": DeadLetters(),
    }
    logs = topic_logs(settings.bootstrap, [names.topic(name) for name in decoders])
    shelves = {
        names.topic(name): Shelf(name, decoder, _table(settings.lake / name, names.topic(name), decoder, logs))
        for name, decoder in decoders.items()
    }
    return shelves, logs


def _table(path: Path, topic: str, decoder: Decoder, logs: Mapping[str, TopicLog]) -> LakeTable:
    path.mkdir(parents=True, exist_ok=True)
    return LakeTable(path, topic=topic, topic_id=logs[topic].id, schema=table_schema(decoder))


def _told(error: Exception) -> str:
    """What an error is and where it arose; its own words only if they are ours, for others quote data."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    ours = type(error).__module__.startswith("fraudbrain_")
    return str(error) if ours else f"{type(error).__name__} at {where.filename}:{where.lineno}"
