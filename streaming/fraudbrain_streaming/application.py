"""The slow tier's application: puts its jobs together, runs them until it is told to stop."""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from typing import Final

from fraudbrain_shared.scenario import Scenario, load_scenario
from fraudbrain_shared.topics import Names
from fraudbrain_streaming import spark as spark_session
from fraudbrain_streaming.jobs.archive.job import ArchiveJob
from fraudbrain_streaming.jobs.failure import told
from fraudbrain_streaming.jobs.job import Job
from fraudbrain_streaming.jobs.loop.job import LoopJob
from fraudbrain_streaming.kafka import ProgressTopic
from fraudbrain_streaming.settings import Settings

_LOG = logging.getLogger(__name__)
_JOBS: Final[Mapping[str, Callable[[Settings, Scenario, ProgressTopic], Job]]] = {
    "archive": ArchiveJob,
    "loop": LoopJob,
}


def run(settings: Settings, stop: threading.Event) -> bool:
    """Run the slow tier until `stop` is set. False if a job failed; the cause was logged."""
    scenario = load_scenario(settings.scenario)
    with ExitStack() as stack:
        progress = ProgressTopic(settings.bootstrap, Names(settings.space).topic("progress"))
        stack.enter_context(closing(progress))
        jobs = [stack.enter_context(closing(_JOBS[name](settings, scenario, progress))) for name in settings.jobs]
        return _run(settings, jobs, stop)


def _run(settings: Settings, jobs: list[Job], stop: threading.Event) -> bool:
    spark = spark_session.session("fraudbrain", jars=settings.jars, driver_memory=settings.driver_memory)
    queries: dict[str, spark_session.Query] = {}
    try:
        for job in jobs:
            queries[job.name] = job.start(spark)
        while spark_session.follow(list(queries.values()), stop):
            for job in jobs:
                if not _idle(job):
                    return False
        for job in jobs:
            if not stop.is_set() and (failure := spark_session.failure(queries[job.name])):
                _LOG.error("%s ended: %s", job.name, job.cause(failure))
        return stop.is_set()
    finally:
        spark_session.end(spark, list(queries.values()))


def _idle(job: Job) -> bool:
    try:
        job.idle()
    except Exception as error:
        _LOG.error("%s failed between two batches: %s", job.name, told(error))
        return False
    return True
