"""Progress: how far each worker and job has come, for replays and operators."""

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """What a process has done. `offsets` are the next offsets to read, by topic and partition number."""

    tier: str
    worker: str
    offsets: dict[str, dict[str, int]] = {}
    ready: bool = False
    versions: dict[str, str] = {}
    problems: tuple[str, ...] = ()
    counts: dict[str, int] = {}


class StepEnd(msgspec.Struct, frozen=True):
    """Where the control topics ended when a step of a replay was done, under `step|run|number`."""

    run: str
    step: int
    clock: int
    offsets: dict[str, dict[str, int]]
