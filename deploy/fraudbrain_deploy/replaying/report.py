"""What a replay says when it is over."""

import msgspec

from fraudbrain_deploy.replaying.loop_report import LoopReport


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """From the moment at which an event should have been sent to the reading of its first decision, milliseconds."""

    p50: float
    p99: float
    p99_9: float
    max: float


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a replay: rows = events + mapping, and what became of every event.

    `mapping` counts rows that could not be read as events. `sent_s` is from the first event sent to the
    last acknowledged, `seconds` to the last decision; `events_per_s` is over that time. `latency_ms` is
    null at full pace and in steps, where an event has no moment at which it should have been sent; `loop` is
    null but in steps. The numbers from
    `events` to `conflicts` are the reconciled account of the whole space.
    """

    scenario: str
    space: str
    source: str
    pace: str
    rows: int
    mapping: int
    labels: int
    events: int
    decisions: int
    folded: int
    duplicates: int
    dead_letters: int
    missing: int
    degraded: int
    repeated: int
    old_duplicates: int
    conflicts: int
    outcomes: dict[str, int]
    events_per_s: float
    sent_s: float
    seconds: float
    minutes: float
    latency_ms: Latency | None
    versions: list[dict[str, str | None]]
    balanced: bool
    verdict: str
    loop: LoopReport | None = None
