"""The archive as a job: its tables, its query, its progress."""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fraudbrain_shared.admission import Admission
from fraudbrain_shared.records import Progress
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.topics import Names
from fraudbrain_streaming.hbase import Store
from fraudbrain_streaming.jobs.archive import query as archive_query
from fraudbrain_streaming.jobs.archive.archive import Archive, Shelf
from fraudbrain_streaming.jobs.archive.dead_letters import DeadLetters
from fraudbrain_streaming.jobs.archive.decisions import Decisions
from fraudbrain_streaming.jobs.archive.decoder import Decoder, table_schema
from fraudbrain_streaming.jobs.archive.events import Events
from fraudbrain_streaming.jobs.archive.first_wins import FirstWins
from fraudbrain_streaming.jobs.archive.generation import log_generation
from fraudbrain_streaming.jobs.archive.labels import Labels
from fraudbrain_streaming.jobs.archive.lake_table import LakeTable
from fraudbrain_streaming.jobs.archive.raw import RAW
from fraudbrain_streaming.jobs.failure import batch_failed
from fraudbrain_streaming.kafka import ProgressTopic, TopicLog, topic_logs
from fraudbrain_streaming.settings import Settings
from fraudbrain_streaming.topic_query import TopicQuery

_LOG = logging.getLogger(__name__)


class ArchiveJob:
    """Files every topic with history; see `Archive`."""

    name = "archive"

    def __init__(self, settings: Settings, scenario: Scenario, progress: ProgressTopic) -> None:
        names = Names(settings.space)
        self._settings = settings
        self._progress = progress
        self._told_of_a_batch = False
        self._telling = threading.Lock()
        self._shelves, logs = _shelves(settings, scenario, names)
        tables = {topic: shelf.table for topic, shelf in self._shelves.items()}
        self._starts = {topic: archive_query.next_offsets(table, logs[topic]) for topic, table in tables.items()}
        self._checkpoint = archive_query.checkpoint(settings.checkpoints, tables)
        self._store = Store(settings.thrift)
        self._store.create_table(names.table("decisions"))
        rows = FirstWins(self._store, table=names.table("decisions"), generation=log_generation(self._store, names))
        self._archive = Archive(self._shelves, rows)

    def start(self, spark: SparkSession) -> StreamingQuery:
        settings = self._settings
        at_start = self._progress_now()
        query = TopicQuery(
            name=self.name,
            bootstrap=settings.bootstrap,
            starts=self._starts,
            beside=archive_query.HEADERS,
            schema=RAW,
            checkpoint=self._checkpoint,
            records_per_batch=settings.records_per_batch,
            trigger_ms=settings.trigger_ms,
        ).start(spark, self._file)
        _LOG.info("archive is up: space=%s lake=%s", settings.space, settings.lake)
        self._tell_start(at_start)
        return query

    def idle(self) -> None:
        """Nothing: all that the archive does comes in batches."""

    def cause(self, failure: str) -> str:
        return archive_query.cause(failure)

    def close(self) -> None:
        self._store.close()

    def _file(self, batch_id: int, batch: pa.Table) -> None:
        try:
            self._archive.file(batch_id, batch)
        except Exception as error:
            raise batch_failed(self.name, batch_id, error) from None
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


def _shelves(settings: Settings, scenario: Scenario, names: Names) -> tuple[dict[str, Shelf], Mapping[str, TopicLog]]:
    """A shelf for each topic with history, by the topic's full name; and the topics as they are now."""
    decoders: dict[str, Decoder] = {
        "events": Events(Admission(scenario)),
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
