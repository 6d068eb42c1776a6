"""The settings of a worker, built once in `__main__` and passed down."""

from dataclasses import dataclass, field
from pathlib import Path

from fraudbrain_realtime.limits import Limits


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
    """The folder for what must outlive a worker: the last good controls, and which event it had in hand. Workers of one
    machine share it."""

    snapshot_every_s: float = 60.0
    """Between two of these snapshots. Longer: a worker that starts from one begins with older controls. Shorter: more
    is written."""

    snapshot_max_age_s: float = 3_600.0
    """How old the controls may be with which a worker starts while their topics do not answer; with older ones it does
    not start. Longer rides out a longer outage; shorter keeps events from being decided by what was taken back."""

    most_entities: int = 1_000_000
    """Entities of which context is kept, and as many of which parameters are. Fewer: more are put away, oldest first,
    and decided about with a degraded decision. More: more memory, half a kilobyte each."""

    redis: str | None = None
    """URL of the Redis that takes recent decisions, for whoever asks by id. Without it nobody can."""

    metrics_host: str = "127.0.0.1"
    """The address that metrics are shown at. They hold no event, but nobody asks for a password either."""

    metrics_port: int | None = None
    """The port; 0 takes any free one, None shows nothing."""

    log_level: str = "info"
    log_format: str = "text"
    """How its children log, too."""

    limits: Limits = field(default_factory=Limits)

    in_flight_limit: int = 20_000
    """Decisions sent and not acknowledged above which no more events are taken."""

    batch_limit: int = 64
    """Events taken in one turn. More amortises better; fewer answer the first of them sooner."""

    stop_timeout_s: float = 5.0
    """How long a clean stop may take to flush and commit."""
