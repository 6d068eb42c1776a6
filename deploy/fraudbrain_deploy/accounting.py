"""The books of a deployment: each event of the log ends in exactly one way, or it is named here.

Arrays in, `Reconciliation` out; nothing is read here. Identities, payloads, inputs and answers come
as 64-bit hashes: of two million events two differing ones fall together once in ten million runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
EXAMPLES = 20


class Kind(IntEnum):
    """What an event's type asks for. An unreadable one can only be a dead letter."""

    DECIDED = 1
    FOLDED = 2
    UNREADABLE = 3


@dataclass(frozen=True, slots=True)
class EventLog:
    """A partition of `events`, by rising offset: the kind, the hash of (subject, event id), the hash of the value."""

    offset: Int64s
    kind: NDArray[np.uint8]
    identity: Int64s
    payload: Int64s


@dataclass(frozen=True, slots=True)
class DecisionLog:
    """The decisions that name a source in one partition of `events`, in the order of their log.

    `inputs` is the hash of what was logged as going in, `answer` that of outcome, findings, scores
    and features. `misplaced` ones stand in another partition than their event.
    """

    offset: Int64s
    identity: Int64s
    inputs: Int64s
    answer: Int64s
    degraded: NDArray[np.bool_]
    misplaced: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PartitionBooks:
    """All that is known of one partition; `dead_letters` are the offsets they name, in any order."""

    events: EventLog
    decisions: DecisionLog
    dead_letters: Int64s


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """How the events of a log ended: events = decisions + folded + duplicates + dead_letters + missing.

    `repeated` are identical decisions of an event that was decided already, as after a kill;
    `conflicts` are others whose logged inputs were equal though (a defect), `superseded` those whose
    inputs had moved. `old_duplicates` were decided again because the first was out of the window.
    `contradictions` are offsets that end in two ways. Examples are `partition/offset` in `events`.
    """

    events: int
    decisions: int
    folded: int
    duplicates: int
    dead_letters: int
    missing: int
    degraded: int
    repeated: int
    conflicts: int
    superseded: int
    old_duplicates: int
    contradictions: int
    missing_examples: tuple[str, ...] = ()
    conflict_examples: tuple[str, ...] = ()
    contradiction_examples: tuple[str, ...] = ()

    @property
    def balanced(self) -> bool:
        """Whether nothing is missing, nothing conflicts and nothing ended in two ways."""
        return not (self.missing or self.conflicts or self.contradictions)

    def verdict(self) -> str:
        """One sentence for people."""
        if self.balanced:
            return f"The books balance: each of {self.events:,} events ended in exactly one way."
        wrong = [
            (self.missing, "no account of {} events", self.missing_examples),
            (self.conflicts, "{} decisions contradict an earlier one made from equal inputs", self.conflict_examples),
            (self.contradictions, "{} events ended in two ways", self.contradiction_examples),
        ]
        found = [f"{text.format(f'{count:,}')} (such as {', '.join(at[:5])})" for count, text, at in wrong if count]
        return f"The books do not balance: {'; '.join(found)}."


def account(partitions: Mapping[int, PartitionBooks]) -> Reconciliation:
    """The account of all partitions, by partition number."""
    accounts = [(number, _account_partition(books)) for number, books in sorted(partitions.items())]
    return Reconciliation(
        **{name: sum(one.counts[name] for _, one in accounts) for name in _COUNTED},
        missing_examples=_examples([(number, one.missing) for number, one in accounts]),
        conflict_examples=_examples([(number, one.conflicting) for number, one in accounts]),
        contradiction_examples=_examples([(number, one.contradictory) for number, one in accounts]),
    )


_COUNTED = tuple(
    name for name, kind in Reconciliation.__annotations__.items() if kind is int
)  # the numbers add up over partitions, the examples do not


@dataclass(frozen=True, slots=True)
class _Account:
    """One partition's numbers and the offsets of what is wrong in it."""

    counts: dict[str, int] = field(default_factory=dict)
    missing: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    conflicting: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    contradictory: Int64s = field(default_factory=lambda: np.empty(0, np.int64))


def _account_partition(books: PartitionBooks) -> _Account:
    events = books.events
    decided_at = _DecisionsByEvent.of(events, books.decisions)
    decided = decided_at.decided
    dead = np.isin(events.offset, books.dead_letters)
    accepted = ~dead & (events.kind != Kind.UNREADABLE)
    again = _seen_before(events, accepted)

    contradictory = decided & (dead | (events.kind != Kind.DECIDED)) | decided_at.strange
    open_ends = ~decided & ~dead
    duplicates = open_ends & accepted & again
    folded = open_ends & ~again & (events.kind == Kind.FOLDED)
    missing = open_ends & ~duplicates & ~folded
    identities = events.identity[decided]
    return _Account(
        counts={
            "events": len(events.offset),
            "decisions": int(decided.sum()),
            "folded": int(folded.sum()),
            "duplicates": int(duplicates.sum()),
            "dead_letters": int((dead & ~decided).sum()),
            "missing": int(missing.sum()),
            "degraded": decided_at.degraded,
            "repeated": decided_at.repeated,
            "conflicts": len(decided_at.conflicting),
            "superseded": decided_at.superseded,
            "old_duplicates": len(identities) - len(np.unique(identities)),
            "contradictions": int(contradictory.sum()),
        },
        missing=events.offset[missing],
        conflicting=decided_at.conflicting,
        contradictory=events.offset[contradictory],
    )


def _seen_before(events: EventLog, accepted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which events repeat identity and value of an accepted event at a lower offset.

    A dead letter is no first: who sends again what was refused as too new is to be answered.
    """
    both = events.identity.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ events.payload.view(np.uint64)
    seen = accepted.copy()
    where = np.flatnonzero(accepted)
    seen[where[np.unique(both[where], return_index=True)[1]]] = False
    return seen


@dataclass(frozen=True, slots=True)
class _DecisionsByEvent:
    """The decisions of a partition, seen from its events: `decided` and `strange` by event."""

    decided: NDArray[np.bool_]
    strange: NDArray[np.bool_]
    degraded: int
    repeated: int
    superseded: int
    conflicting: Int64s

    @classmethod
    def of(cls, events: EventLog, decisions: DecisionLog) -> "_DecisionsByEvent":
        """Decisions of events that are not in the log any more, or not yet, are left out."""
        order = np.argsort(decisions.offset, kind="stable")  # of one event: in the order of their log
        order = order[np.isin(decisions.offset[order], events.offset)]
        offset, answer = decisions.offset[order], decisions.answer[order]
        is_first = np.ones(len(offset), np.bool_)
        is_first[1:] = offset[1:] != offset[:-1]
        first_of = np.cumsum(is_first) - 1
        at = np.searchsorted(events.offset, offset)

        strange = np.zeros(len(events.offset), np.bool_)
        strange[at[(decisions.identity[order] != events.identity[at]) | decisions.misplaced[order]]] = True
        decided = np.zeros(len(events.offset), np.bool_)
        decided[at] = True

        differs = answer != answer[is_first][first_of]
        disputed = np.isin(offset, offset[differs])
        undisputed = int((~is_first & ~disputed).sum())
        repeated, superseded, conflicting = _disputes(
            offset[disputed], decisions.inputs[order][disputed], answer[disputed]
        )
        return cls(
            decided=decided,
            strange=strange,
            degraded=int(decisions.degraded[order][is_first].sum()),
            repeated=undisputed + repeated,
            superseded=superseded,
            conflicting=conflicting,
        )


def _disputes(offset: Int64s, inputs: Int64s, answer: Int64s) -> tuple[int, int, Int64s]:
    """Repeated, superseded and the offsets of conflicting decisions, of events that have several answers.

    They come by event and in the order of the log. Few, unless something is badly wrong.
    """
    repeated = superseded = 0
    conflicting: list[int] = []
    effective: dict[int, int] = {}
    answer_to: dict[tuple[int, int], int] = {}
    for at, given, found in zip(offset.tolist(), inputs.tolist(), answer.tolist(), strict=True):
        if at not in effective:
            effective[at] = answer_to[at, given] = found
        elif answer_to.setdefault((at, given), found) != found:
            conflicting.append(at)
        elif effective[at] == found:
            repeated += 1
        else:
            superseded += 1
    return repeated, superseded, np.array(conflicting, np.int64)


def _examples(offsets: list[tuple[int, Int64s]]) -> tuple[str, ...]:
    """The first few as `partition/offset`."""
    found = [f"{number}/{offset}" for number, wrong in offsets for offset in wrong[:EXAMPLES].tolist()]
    return tuple(found[:EXAMPLES])
