"""What the application asks of a job."""

from typing import Protocol

from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery


class Job(Protocol):
    """A query with what it stands on, opened and checked when it was made."""

    name: str

    def start(self, spark: SparkSession) -> StreamingQuery:
        """Start the query and say on `progress` that it is up."""

    def idle(self) -> None:
        """Called a few times a second while the query runs, on another thread. An exception ends the application."""

    def cause(self, failure: str) -> str:
        """One line for an operator about what Spark said when the query failed."""

    def close(self) -> None:
        """Let go of what it stands on; the query has ended."""
