"""The settings of a worker, built once in `__main__` and passed down."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a worker is told at its start."""

    scenario: str
    """A built-in scenario's name or a scenario folder."""

    space: str
    """The deployment's name; topics and tables carry it."""

    bootstrap: str
    """host:port of a Kafka broker."""

    thrift_host: str
    thrift_port: int
    """Where HBase's Thrift gateway listens."""

    group: str
    """The group of workers that share the partitions; each group has profiles of its own."""

    worker: str
    """This worker's name, unique in its group."""

    flush_interval_s: float = 0.5
    """Between two flushes of profiles. Longer: more is decided again after a crash. Shorter: more rows
    are written, each write standing in the way of decisions."""

    load_timeout_s: float = 10.0
    """How long an event waits for its profile. Longer rides out a longer outage of the store; after it
    the worker stops, and starts again from what it had committed."""

    in_flight_limit: int = 20_000
    """Decisions sent and not acknowledged above which no more events are taken."""

    batch_limit: int = 64
    """Events taken in one turn. More amortises better; fewer answer the first of them sooner."""

    stop_timeout_s: float = 5.0
    """How long a clean stop may take to flush and commit."""
