"""The settings of the slow tier: one frozen record, made by `__main__`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an application of the slow tier runs with."""

    scenario: str
    """Name of a built-in scenario, or the folder of one."""

    space: str
    """What the names of topics and tables carry: the scenario's name unless several deployments share a broker."""

    bootstrap: str
    """HOST:PORT of a Kafka broker."""

    thrift: str
    """HOST:PORT of HBase's Thrift gateway."""

    lake: Path
    """Folder of the lake; one Delta table per topic in it."""

    checkpoints: Path
    """Folder of Spark's checkpoints. May be lost: a new checkpoint continues after what the lake holds."""

    jars: tuple[Path, ...]
    """The jars of Spark's Kafka connector."""

    worker: str = "archive"
    """The name under which the archive publishes its progress; the loop is always `loop`."""

    jobs: tuple[str, ...] = ("archive", "loop")
    """What runs in this application. Each job can run in one of its own."""

    trigger_ms: int = 1_000
    """Shortest time from batch to batch. Shorter: the lake gets more and smaller files and Spark's fixed
    cost of about 0.4 s a batch weighs more. Longer: decisions are found in HBase later."""

    records_per_batch: int = 60_000
    """Most records in a batch, of all topics. They are held in memory whole: about 0.5 GB at 60,000 of 2 KiB.
    Fewer: catching up after an outage is slower."""

    cut_into: int = 1
    """Pieces into which the loop cuts each batch, folding and committing one by one. For proofs that its results
    do not depend on how the topics were cut: each piece costs some calls to HBase."""

    cut_seed: int | None = None
    """Instead a random number of pieces, from 1 to 20, by a generator with this seed."""

    driver_memory: str = "1g"
    """The heap of Spark's JVM. It must hold a batch twice."""
