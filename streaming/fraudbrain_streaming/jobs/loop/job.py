"""The loop as a job: labeller, context and tuner over Kafka and HBase, with one query for all three."""

import logging
import secrets
import time
from collections.abc import Collection, Iterable
from functools import partial
from random import Random

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.topics import Names
from fraudbrain_streaming.hbase import Store
from fraudbrain_streaming.jobs.failure import batch_failed
from fraudbrain_streaming.jobs.loop import query as loop_query
from fraudbrain_streaming.jobs.loop.controls import CONTROL_TOPICS, TopicRecord
from fraudbrain_streaming.jobs.loop.inputs import LOOP_RAW, cut
from fraudbrain_streaming.jobs.loop.loop import Loop, Surroundings
from fraudbrain_streaming.jobs.loop.offsets import INPUTS, Offsets
from fraudbrain_streaming.jobs.loop.state_table import StateTable
from fraudbrain_streaming.kafka import BrokerProblem, Outlet, ProgressTopic, TopicEnds, TopicTail, topic_logs
from fraudbrain_streaming.settings import Settings
from fraudbrain_streaming.topic_query import TopicQuery

_LOG = logging.getLogger(__name__)
_MOST_PIECES = 20


class LoopJob:
    """Joins labels, folds context, moves parameters; see `Loop`."""

    name = "loop"

    def __init__(self, settings: Settings, scenario: Scenario, progress: ProgressTopic) -> None:
        names = Names(settings.space)
        self._settings = settings
        self._topics = {names.topic(topic): topic for topic in INPUTS}
        logs = topic_logs(settings.bootstrap, list(self._topics))
        self._store = Store(settings.thrift)
        table, decisions = names.table("loop"), names.table("decisions")
        for each in (table, decisions):
            self._store.create_table(each)
        self._tail = _Tail(TopicTail(settings.bootstrap, names, (*CONTROL_TOPICS, "progress")))
        ends = TopicEnds(settings.bootstrap, {topic: log.begins for topic, log in logs.items()})
        around = Surroundings(
            state=StateTable(self._store, table=table, decisions=decisions),
            find=partial(_find, self._store, decisions),
            publisher=Outlet(settings.bootstrap, names),
            tail=self._tail,
            ends=partial(_ends, ends, self._topics),
            tell=progress.publish,
        )
        self._loop = Loop(scenario, self._topics, around, new_id=secrets.token_hex(8))
        self._starts = loop_query.next_offsets(self._loop.applied, logs, self._topics)
        self._random = None if settings.cut_seed is None else Random(settings.cut_seed)

    def start(self, spark: SparkSession) -> StreamingQuery:
        settings = self._settings
        self._loop.start()
        query = TopicQuery(
            name=self.name,
            bootstrap=settings.bootstrap,
            starts=self._starts,
            beside=loop_query.STEP,
            schema=LOOP_RAW,
            checkpoint=loop_query.checkpoint(settings.checkpoints, self._loop.id, self._topics),
            records_per_batch=settings.records_per_batch,
            trigger_ms=settings.trigger_ms,
        ).start(spark, self._fold)
        _LOG.info("loop is up: space=%s", settings.space)
        return query

    def idle(self) -> None:
        self._loop.idle()

    def cause(self, failure: str) -> str:
        if "DATA_LOSS" in failure or "may have been lost" in failure:
            return "records were deleted, by retention or with their topic, before they were folded"
        return failure.splitlines()[0][:200] if "BatchFailed" not in failure else "a batch could not be done; see above"

    def close(self) -> None:
        self._tail.close()
        self._store.close()

    def _fold(self, batch_id: int, batch: pa.Table) -> None:
        begun = time.monotonic()
        pieces = self._random.randint(1, _MOST_PIECES) if self._random else self._settings.cut_into
        try:
            self._loop.batch(cut(batch, pieces))
        except Exception as error:
            raise batch_failed(self.name, batch_id, error) from None
        _LOG.info("loop batch=%d seconds=%.2f rows=%d", batch_id, time.monotonic() - begun, len(batch))


class _Tail:
    """The control topics and `progress`, as the loop reads them."""

    def __init__(self, tail: TopicTail) -> None:
        self._tail = tail

    def read_new(self) -> Iterable[TopicRecord]:
        return [TopicRecord(*each) for each in self._tail.read_new()]

    def read_to_end(self) -> Iterable[TopicRecord]:
        return [TopicRecord(*each) for each in self._tail.read_to_end()]

    def close(self) -> None:
        self._tail.close()


def _find(store: Store, table: str, rows: Collection[bytes]) -> dict[bytes, dict[bytes, bytes]]:
    return store.get_many(table, rows)


def _ends(ends: TopicEnds, topics: dict[str, str]) -> Offsets | None:
    """Where the inputs end now; None if the broker does not say: then the clock stands still."""
    try:
        found = ends.now()
    except BrokerProblem as problem:
        _LOG.warning("%s", problem)
        return None
    return {topics[topic]: {str(number): end for number, end in ats.items()} for topic, ats in found.items()}
