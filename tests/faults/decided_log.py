"""What the topics tell of a load: every event with its decision, side by side in the order of the log.

Read record by record, and kept as columns of numbers: a proof may leave millions.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.load.run import RUN_LENGTH
from fraudbrain_realtime.settings import Settings
from tests.faults.asking import NAME, Told

_READ_S: Final = 60.0
_ASKED: Final = -1
_BEFORE_A_POLL: Final = Settings.in_flight_limit + Settings.batch_limit
"""At most so many of the events before one were not decided, or their decisions not acknowledged, when it was polled:
above `in_flight_limit` a worker takes no more, and one batch is taken at once."""

Column = npt.NDArray[np.int64]


class Ends(NamedTuple):
    """Where both topics ended at some moment, which is where reading begins."""

    events: kafka.Offsets
    decisions: kafka.Offsets

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        """Now."""
        bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
        return cls(*(kafka.end_offsets(bootstrap, names.topic(name)) for name in ("events", "decisions")))

    @property
    def undecided(self) -> int:
        """Events beyond decisions, where each event has one decision."""
        return sum(self.events.values()) - sum(self.decisions.values())


class _Event(msgspec.Struct, gc=False):
    event_id: str


class _Place(msgspec.Struct, gc=False):
    offset: int
    append_time: int


class _Made(msgspec.Struct, gc=False):
    event_id: str
    subject: str
    source: _Place
    degraded: tuple[str, ...] = ()
    overdue: bool = False


_read_event: Final = msgspec.json.Decoder(_Event).decode
_read_made: Final = msgspec.json.Decoder(_Made).decode


@dataclass
class Rows:
    """Event by event, in the order of one partition or, together, of all. Times are the broker's, UTC ms; `run` and
    `number` tell which event of a load it is, and are -1 for those that a source asked about."""

    run: Column
    number: Column
    event_ms: Column
    decision_ms: Column
    is_overdue: npt.NDArray[np.bool_]

    @property
    def waited_ms(self) -> Column:
        """From the append of the event to that of its decision."""
        return self.decision_ms - self.event_ms


@dataclass
class DecidedLog:
    """All partitions. `told` are the decisions that a source had asked for, by the ids of their events; `repeated` is
    how many decisions were made once more."""

    partitions: list[Rows] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)
    repeated: int = 0

    def together(self) -> Rows:
        """All rows, sorted by when their events were appended."""
        names = Rows.__dataclass_fields__
        joined = {name: np.concatenate([getattr(each, name) for each in self.partitions]) for name in names}
        order = np.argsort(joined["event_ms"], kind="stable")
        return Rows(**{name: column[order] for name, column in joined.items()})


def read(deployment: Deployment, since: Ends) -> DecidedLog:
    """What was sent and decided after `since`.

    In each partition the first decisions must be those of its events in their order, so that those of each subject
    are: of this id and subject, none missing, none degraded. Raises AssertionError.
    """
    found = DecidedLog()
    for number in since.events:
        found.partitions.append(_partition(deployment, number, since, found))
    return found


def _partition(deployment: Deployment, number: int, since: Ends, found: DecidedLog) -> Rows:
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    events, decisions = (
        kafka.read_all(bootstrap, names.topic(name), since=ends, partition=number, timeout_s=_READ_S)
        for name, ends in (("events", since.events), ("decisions", since.decisions))
    )
    columns = {name: array("q") for name in Rows.__dataclass_fields__}
    add = [column.append for column in columns.values()]
    for event, decision, made in paired(events, decisions, number, found):
        at_ms = decision.timestamp()[1]
        if made.event_id.startswith(NAME):
            found.told[made.event_id] = Told(decision.value() or b"", at_ms)
            run, of_run = _ASKED, _ASKED
        else:
            run, of_run = int(made.event_id[:RUN_LENGTH], 16), int(made.event_id[RUN_LENGTH:], 16)
        for append, value in zip(add, (run, of_run, event.timestamp()[1], at_ms, made.overdue), strict=True):
            append(value)
    numbers = {name: np.array(column, np.int64) for name, column in columns.items()}
    return Rows(**numbers | {"is_overdue": numbers["is_overdue"].astype(bool)})


def paired(
    events: Iterator[kafka.Message], decisions: Iterator[kafka.Message], partition: int, found: DecidedLog
) -> Iterator[tuple[kafka.Message, kafka.Message, _Made]]:
    """Each event with its first decision. Raises AssertionError where they are no pairs."""
    last = -1
    for decision in decisions:
        made = _read_made(decision.value() or b"")
        if made.source.offset <= last:
            found.repeated += 1
            continue
        last = made.source.offset
        event = next(events, None)
        assert event is not None, f"{partition}/{last}: a decision on no event"
        place = f"{partition}/{event.offset()}"
        assert event.offset() == last, f"{place} is missing or was decided after {last}"
        assert _read_event(event.value() or b"").event_id == made.event_id, place
        assert (event.key() or b"") == made.subject.encode(), place
        assert event.timestamp()[1] == made.source.append_time, place
        assert not made.degraded, f"{place} is degraded: {made.degraded}"
        yield event, decision, made
    undecided = next(events, None)
    assert undecided is None, f"{partition}/{undecided and undecided.offset()} has no decision"


def check_complete(rows: Rows, sent: Mapping[int, int]) -> None:
    """Of each run each event is there, once. Raises AssertionError."""
    for run, events in sent.items():
        numbers = np.sort(rows.number[rows.run == run])
        assert np.array_equal(numbers, np.arange(events)), f"run {run}: {len(numbers)} of {events} events"
    assert set(np.unique(rows.run).tolist()) <= {*sent, _ASKED}


def check_overdue(rows: Rows, deadline_ms: int) -> None:
    """A decision is marked where its event was polled later than the deadline after its append time. Raises
    AssertionError where the log tells otherwise, for the rows of a partition.

    The log does not say when an event was polled, but two bounds of it: before its decision was appended, and after
    that of an event so far ahead of it that more could not be on their way.
    """
    early = rows.is_overdue & (rows.waited_ms <= deadline_ms)
    assert not early.any(), f"{early.sum()} are marked that were decided in time"
    at_least_ms = rows.decision_ms[:-_BEFORE_A_POLL] - rows.event_ms[_BEFORE_A_POLL:]
    unmarked = (at_least_ms > deadline_ms) & ~rows.is_overdue[_BEFORE_A_POLL:]
    assert not unmarked.any(), f"{unmarked.sum()} were polled after their deadline and are not marked"


def undecided_at(rows: Rows, at_ms: int) -> int:
    """How many events stood in the log then whose decisions did not."""
    return int((rows.event_ms <= at_ms).sum() - (rows.decision_ms <= at_ms).sum())


def caught_up_ms(rows: Rows, after_ms: int, within_ms: int) -> int:
    """The first moment from `after_ms` on at which no event waits for longer than `within_ms`; UTC ms. Rows are sorted
    by `event_ms`."""
    all_decided_ms = np.maximum(np.maximum.accumulate(rows.decision_ms), after_ms)  # this event and all before it
    next_ms = np.append(rows.event_ms[1:], np.iinfo(np.int64).max)
    is_caught_up = (next_ms > after_ms) & (next_ms >= all_decided_ms - within_ms)
    return int(all_decided_ms[np.argmax(is_caught_up)])
