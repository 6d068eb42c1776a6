"""The settings of the offline tier's commands: frozen records, made by `__main__`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which deployment is meant, and where its registry and broker are."""

    scenario: str
    """Name of a built-in scenario, or the folder of one."""

    space: str
    """What the names of topics and the registered model carry."""

    registry: str
    """URL of MLflow's server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings(Place):
    """What a run of training is told."""

    lake: Path
    """Folder of the lake's tables."""

    as_of_ms: int
    """The cut, event time, UTC ms: what became known later is not looked at."""

    set_champion: bool = False
    """Whether the new version becomes the champion at once; else a person decides."""

    bootstrap: str | None = None
    """HOST:PORT of a Kafka broker on which progress is told; None: it is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteSettings(Place):
    """What the promoter is told."""

    bootstrap: str
    """HOST:PORT of a Kafka broker."""

    every_s: float = 2.0
    """How often the registry is asked. Longer: a push and a rollback take longer. Shorter: MLflow has more to do,
    about 20 ms for each question."""
