"""Reads the log of a deployment into the compact arrays that its books are made of."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec
import numpy as np

from fraudbrain_deploy import kafka
from fraudbrain_deploy.accounting import DecisionLog, EventLog, Kind, PartitionBooks, Reconciliation, account
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.epochs import group_epochs
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.records import DeadLetter, Source

OnRead = Callable[[str, int], None]

READ_TIMEOUT_S = 60.0  # longest wait for the next record


class _EventView(msgspec.Struct, frozen=True, gc=False):
    """As much of an event as the books need."""

    event_id: str
    type: str


class _Controls(msgspec.Struct, frozen=True, gc=False):
    """The versions that are inputs of a decision; the build is none: it must not change an answer."""

    scenario: str
    rules: str
    model: str | None = None


_NOTHING = msgspec.Raw(b"")


class _DecisionView(msgspec.Struct, frozen=True, gc=False):
    """As much of a decision as the books need. What is only compared stays bytes."""

    event_id: str
    subject: str
    source: Source
    versions: _Controls
    outcome: msgspec.Raw
    features: msgspec.Raw
    group: str = ""
    findings: msgspec.Raw = _NOTHING
    scores: msgspec.Raw = _NOTHING
    degraded: tuple[str, ...] = ()
    context: msgspec.Raw = _NOTHING
    parameters: msgspec.Raw = _NOTHING
    context_clock: int | None = None


@dataclass(slots=True)
class _Events:
    """A partition of `events` while it is read."""

    offset: "array[int]" = field(default_factory=lambda: array("q"))
    kind: bytearray = field(default_factory=bytearray)
    identity: "array[int]" = field(default_factory=lambda: array("q"))
    payload: "array[int]" = field(default_factory=lambda: array("q"))

    def log(self) -> EventLog:
        return EventLog(
            _int64s(self.offset), np.frombuffer(self.kind, np.uint8), _int64s(self.identity), _int64s(self.payload)
        )


@dataclass(slots=True)
class _Decisions:
    """The decisions of a partition's events while they are read."""

    offset: "array[int]" = field(default_factory=lambda: array("q"))
    identity: "array[int]" = field(default_factory=lambda: array("q"))
    inputs: "array[int]" = field(default_factory=lambda: array("q"))
    answer: "array[int]" = field(default_factory=lambda: array("q"))
    degraded: bytearray = field(default_factory=bytearray)
    misplaced: bytearray = field(default_factory=bytearray)

    def log(self) -> DecisionLog:
        return DecisionLog(
            _int64s(self.offset),
            _int64s(self.identity),
            _int64s(self.inputs),
            _int64s(self.answer),
            np.frombuffer(self.degraded, np.bool_),
            np.frombuffer(self.misplaced, np.bool_),
        )


def reconcile(deployment: Deployment, on_progress: OnRead = lambda _topic, _count: None) -> Reconciliation:
    """The account of every event that the log holds at the call. Changes nothing.

    `on_progress` is told topic and records read, now and then. Events that the tiers have not come to
    yet count as missing. Raises KeyError for a space without topics, TimeoutError when the broker stops answering.
    """
    events = _read_events(deployment, on_progress)
    decisions = _read_decisions(deployment, on_progress)
    dead_letters = _read_dead_letters(deployment, on_progress)
    return account(
        {
            number: PartitionBooks(read.log(), decisions[number].log(), _int64s(dead_letters[number]))
            for number, read in events.items()
        }
    )


def _read_events(deployment: Deployment, on_progress: OnRead) -> dict[int, _Events]:
    kinds = {
        name: Kind.DECIDED if kind.decide else Kind.FOLDED for name, kind in deployment.scenario.event_types.items()
    }
    decode = msgspec.json.Decoder(_EventView).decode
    read: defaultdict[int, _Events] = defaultdict(_Events)
    for message in _records(deployment, "events", on_progress):
        partition = read[_int(message.partition())]
        value = message.value() or b""
        try:
            event = decode(value)
            kind = kinds.get(event.type, Kind.UNREADABLE)
            identity = hash((message.key() or b"", event.event_id))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            kind, identity = Kind.UNREADABLE, 0
        partition.offset.append(_int(message.offset()))
        partition.kind.append(kind)
        partition.identity.append(identity)
        partition.payload.append(hash(value))
    return read


def _read_decisions(deployment: Deployment, on_progress: OnRead) -> defaultdict[int, _Decisions]:
    decode = msgspec.json.Decoder(_DecisionView).decode
    since = {(name, each.epoch): each.since for name, each in group_epochs(deployment).items()}
    read: defaultdict[int, _Decisions] = defaultdict(_Decisions)
    for message in _records(deployment, "decisions", on_progress):
        try:
            decision = decode(message.value() or b"")
        except msgspec.DecodeError as error:
            raise _unreadable(message) from error
        source = decision.source
        partition = read[source.partition]
        partition.offset.append(source.offset)
        partition.identity.append(hash((decision.subject.encode(), decision.event_id)))
        partition.inputs.append(
            hash(
                (
                    decision.source.epoch,  # another one began with profiles of its own,
                    since.get((decision.group, decision.source.epoch), 0),  # and one may know of more than another
                    decision.versions.scenario,
                    decision.versions.rules,
                    decision.versions.model,
                    decision.degraded,
                    bytes(decision.context),
                    bytes(decision.parameters),
                    decision.context_clock,
                )
            )
        )
        partition.answer.append(
            hash((bytes(decision.outcome), bytes(decision.findings), bytes(decision.scores), bytes(decision.features)))
        )
        partition.degraded.append(bool(decision.degraded))
        partition.misplaced.append(message.partition() != source.partition)
    return read


def _read_dead_letters(deployment: Deployment, on_progress: OnRead) -> defaultdict[int, "array[int]"]:
    """The offsets of `events` that were put aside; other topics' dead letters are not events."""
    events = deployment.names.topic("events")
    read: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))
    for message in _records(deployment, "dead-letters", on_progress):
        letter = _dead_letter(message)
        if letter.topic == events:
            read[letter.partition].append(letter.offset)
    return read


def _records(deployment: Deployment, topic: str, on_progress: OnRead) -> Iterable[kafka.Message]:
    name = deployment.names.topic(topic)
    count = 0
    for count, message in enumerate(
        kafka.read_all(deployment.stack.kafka_bootstrap, name, timeout_s=READ_TIMEOUT_S), start=1
    ):
        if count % 50_000 == 0:
            on_progress(topic, count)
        yield message
    on_progress(topic, count)


def _dead_letter(message: kafka.Message) -> DeadLetter:
    try:
        return DeadLetter.from_headers(dict(kafka.headers_of(message)))
    except (KeyError, ValueError) as error:
        raise _unreadable(message) from error


def _unreadable(message: kafka.Message) -> UserError:
    return UserError(
        f"{message.topic()}/{message.partition()}/{message.offset()} is no record of this topic.",
        "Something else than a fraudbrain tier has written there; the books cannot be made without knowing what.",
    )


def _int(value: int | None) -> int:
    """The client's types allow None where a record that was read has a number."""
    assert value is not None
    return value


def _int64s(values: "array[int]") -> "np.typing.NDArray[np.int64]":
    return np.frombuffer(values, np.int64)
