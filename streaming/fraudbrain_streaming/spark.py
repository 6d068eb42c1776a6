"""The Spark session of the slow tier: local, on loopback, in UTC, quiet."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

Query = StreamingQuery

_JVM_END_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.2


def session(name: str, *, jars: tuple[Path, ...], driver_memory: str) -> SparkSession:
    """A session with two cores. Takes 7 to 9 s; JAVA_HOME must name a Java 17.

    To be called in the main thread. The handlers of signals stay as they are.
    """
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    with _ignored_by_children(signal.SIGINT, signal.SIGTERM):
        spark: SparkSession = _builder(name, jars, driver_memory).getOrCreate()
    return spark


def _builder(name: str, jars: tuple[Path, ...], driver_memory: str) -> SparkSession.Builder:
    return (
        SparkSession.builder.master("local[2]")
        .appName(name)
        .config("spark.jars", ",".join(str(jar) for jar in jars))
        .config("spark.driver.memory", driver_memory)
        # Without the larger stack a query that is stopped while its batch runs a job dumps a StackOverflowError.
        .config("spark.driver.extraJavaOptions", "-Xss8m")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.streaming.stopTimeout", "10s")
        .config("spark.log.level", "WARN")
    )


@contextlib.contextmanager
def _ignored_by_children(*signals: signal.Signals) -> Iterator[None]:
    """Processes started inside ignore the signals; for this one they wait until the end.

    Whoever stops a process group signals the JVM as well. It would tear down its side of a running
    batch, with stack dumps, before the query is stopped. It ends when its standard input does, so
    also after a kill -9 of this process.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in signals}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def follow(queries: Sequence[StreamingQuery], stop: threading.Event) -> bool:
    """Wait 0.2 s or until `stop` is set. True if all queries still run and shall go on."""
    try:
        return not stop.wait(_LOOK_EVERY_S) and all(query.isActive for query in queries)
    except (Py4JError, OSError):  # the JVM is gone
        return False


def failure(query: StreamingQuery) -> str:
    """Why the query ended by itself, in Spark's own words; for logs these are too long and may quote data.

    Empty if it did not.
    """
    try:
        return str(query.exception() or "")
    except (Py4JError, OSError):
        return "the JVM ended"


def end(spark: SparkSession, queries: Sequence[StreamingQuery]) -> None:
    """Stop queries, session and JVM. A running batch gets 10 s; what it has not done the next start does."""
    gateway = spark.sparkContext._gateway
    with contextlib.suppress(Py4JError, PySparkException, OSError):  # the JVM may be gone already
        spark.sparkContext.setLogLevel("OFF")
    for query in queries:
        with contextlib.suppress(Py4JError, PySparkException, OSError):
            query.stop()
    with contextlib.suppress(Py4JError, PySparkException, OSError):
        spark.stop()
    _end_jvm(gateway)


def _end_jvm(gateway: Any) -> None:
    gateway.shutdown()
    gateway.proc.stdin.close()
    try:
        gateway.proc.wait(_JVM_END_S)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
