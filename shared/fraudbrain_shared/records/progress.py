"""Progress: how far each worker and job has come, for replays and operators."""

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """What a process has done. `offsets` are the next offsets to read, by topic and partition number.

    `step` is the last `StepGoal` that was reached, as `run|number`; `metrics` is the host:port at which it shows more.
    """

    tier: str
    worker: str
    offsets: dict[str, dict[str, int]] = {}
    ready: bool = False
    versions: dict[str, str] = {}
    problems: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    step: str = ""
    metrics: str = ""


def rejection_of(topic: str, offset: int) -> str:
    """How a worker's problem begins that is the rejection of this control record; the cause follows."""
    return f"{topic}/{offset} rejected: "


class StepGoal(msgspec.Struct, frozen=True):
    """What the slow tier must have done before step `step` of a replay may begin, under `goal|run`.

    It reads each of the topics in `offsets` to the next offset given, evaluates every tick up to `clock`
    (the step's start, UTC ms), publishes all that changed, and sets its own clock to `clock`.
    """

    run: str
    step: int
    clock: int
    offsets: dict[str, dict[str, int]]


class StepEnd(msgspec.Struct, frozen=True):
    """What the events of step `step` are decided by, under `step|run|step`: of each control topic in
    `offsets` exactly the records below the next offset given. `clock` is the step's start, UTC ms."""

    run: str
    step: int
    clock: int
    offsets: dict[str, dict[str, int]]


# Headers of a replayed event: which replay sent it; in a stepped one `run|number` of its step, and the step's start,
# UTC ms.
REPLAY_HEADER = "replay.run"
STEP_HEADER = "replay.step"
CLOCK_HEADER = "replay.clock"
