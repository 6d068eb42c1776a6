"""What the demo found: its books, how fast it was, and how the platform answered an attack."""

from collections.abc import Iterable, Sequence

import msgspec
import pyarrow as pa

from fraudbrain_deploy.demo_payments import Wave
from fraudbrain_deploy.replaying.controls_log import Move
from fraudbrain_deploy.replaying.hindsight import Reviewed
from fraudbrain_deploy.replaying.loop_report import Changes, LoopReport, Precision, precision
from fraudbrain_deploy.replaying.report import Latency


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How an attack was answered: seconds from its first payment (append times) until a parameter of one of
    its terminals was published, until a decision logged that value, and until a decision was changed by it.

    Null: it did not happen. `stopped` counts payments that were not approved; so does `rush_stopped` among
    as many good ones, that came as suddenly at other terminals.
    """

    payments: int
    stopped: int
    rush_payments: int
    rush_stopped: int
    published_s: float | None
    used_s: float | None
    changed_s: float | None


class LiveAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What parameters and model changed in the live stretches, and how well each tells frauds."""

    changed_by_parameters: int
    changed_by_model: int
    not_reproduced: int
    average_precision: Precision | None
    attack: Answer


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo found: the books of its space, the live stretches, and what it took.

    `live_events` to `latency_ms` are of the stretch at full rate. Latency is from the moment at which a
    payment was due to be sent to the reading of its decision. `peak_memory_bytes` is the resident memory of
    the platform's and the demo's processes together.
    """

    events: int
    decisions: int
    folded: int
    duplicates: int
    dead_letters: int
    missing: int
    degraded: int
    conflicts: int
    labels: int
    outcomes: dict[str, int]
    history_events: int
    history_events_per_s: float
    live_events: int
    live_events_per_s: float
    latency_ms: Latency | None
    moves: int
    releases: list[str]
    history_loop: LoopReport | None
    live: LiveAccount
    peak_memory_bytes: int
    seconds: dict[str, float]
    balanced: bool
    verdict: str
    example: tuple[str, str] | None
    """Subject and event id of a payment that was not approved, to look at."""


def live_account(
    reviewed: Iterable[Reviewed], moves: Sequence[Move], attack: Wave, rush: Wave, truth: pa.Table
) -> LiveAccount:
    """The account of the live decisions; `truth` says of each payment whether it was a fraud."""
    changes = Changes()
    hit: list[Reviewed] = []
    rushed: list[Reviewed] = []
    for each in reviewed:
        changes.add(each)
        if _is_at(each, attack):
            hit.append(each)
        elif each.decision.event_id in rush.events:
            rushed.append(each)
    return LiveAccount(
        changed_by_parameters=changes.by_parameters,
        changed_by_model=changes.by_model,
        not_reproduced=changes.not_reproduced,
        average_precision=precision(changes.ranked(), truth),
        attack=answer(hit, rushed, moves, attack),
    )


def answer(hit: Sequence[Reviewed], rushed: Sequence[Reviewed], moves: Sequence[Move], attack: Wave) -> Answer:
    """`hit` are the decisions on payments at the attack's terminals, `rushed` those on the rush."""
    attacking = [each for each in hit if each.decision.event_id in attack.events]
    begin = min((each.decision.source.append_time for each in attacking), default=0)
    answering = [each for each in moves if each.record.id in attack.terminals and each.append_ms >= begin]
    using = [each for each in hit if any(_holds(each, move) for move in answering)]
    return Answer(
        payments=len(attacking),
        stopped=_stopped(attacking),
        rush_payments=len(rushed),
        rush_stopped=_stopped(rushed),
        published_s=_first((each.append_ms for each in answering), begin),
        used_s=_first((each.append_ms for each in using), begin),
        changed_s=_first((each.append_ms for each in using if each.without_moves != each.again), begin),
    )


def _is_at(reviewed: Reviewed, wave: Wave) -> bool:
    return not wave.terminals.isdisjoint(reviewed.decision.entities.values())


def _holds(reviewed: Reviewed, move: Move) -> bool:
    """Whether the decision logged the value that was published for its terminal before."""
    decision, record = reviewed.decision, move.record
    is_of_it = record.id in decision.entities.values() and reviewed.append_ms >= move.append_ms
    return is_of_it and decision.parameters.get(record.name) == record.value


def _stopped(decisions: Sequence[Reviewed]) -> int:
    return sum(each.decision.outcome != "approve" for each in decisions)


def _first(moments_ms: Iterable[int], begin_ms: int) -> float | None:
    first = min(moments_ms, default=None)
    return None if first is None else round((first - begin_ms) / 1000, 3)
