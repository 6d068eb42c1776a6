"""The Spark session of the slow tier: local, on loopback, in UTC, quiet."""

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery


def session(name: str, *, jars: tuple[Path, ...], driver_memory: str) -> SparkSession:
    """A session with two cores. Takes 7 to 9 s; JAVA_HOME must name a Java 17.

    The handlers of signals are left as they were: pyspark would turn an interrupt into an exception
    in the middle of whatever runs.
    """
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    interrupt = signal.getsignal(signal.SIGINT)
    spark: SparkSession = (
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
        .getOrCreate()
    )
    signal.signal(signal.SIGINT, interrupt)
    return spark


def follow(query: StreamingQuery, stop: threading.Event) -> bool:
    """Wait until `stop` is set or the query ends by itself. True if it still runs, false if it failed."""
    try:
        while query.isActive:
            if stop.wait(0.2):
                return True
    except (Py4JError, OSError):  # the JVM is gone
        return stop.is_set()
    return False


def end(spark: SparkSession, query: StreamingQuery | None) -> None:
    """Stop the query and the session. A running batch gets 10 s; what it has not done the next start does."""
    with contextlib.suppress(Py4JError, PySparkException, OSError):  # the JVM may be gone already
        spark.sparkContext.setLogLevel("OFF")
        if query is not None:
            query.stop()
    with contextlib.suppress(Py4JError, PySparkException, OSError):
        spark.stop()
