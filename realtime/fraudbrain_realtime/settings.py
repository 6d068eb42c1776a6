"""The settings of a worker, built once in `__main__` and passed down."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from fraudbrain_realtime.limits import Limits


def default_state_dir() -> Path:
    """Where programs of this user keep their state."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "fraudbrain"


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

    state_dir: Path
    """Where the workers of this machine note what must outlive them."""

    redis: str | None = None
    """URL of the Redis that takes recent decisions, for whoever asks by id. Without it nobody can."""

    limits: Limits = field(default_factory=Limits)

    in_flight_limit: int = 20_000
    """Decisions sent and not acknowledged above which no more events are taken."""

    batch_limit: int = 64
    """Events taken in one turn. More amortises better; fewer answer the first of them sooner."""

    stop_timeout_s: float = 5.0
    """How long a clean stop may take to flush and commit."""
