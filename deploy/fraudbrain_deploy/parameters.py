"""The parameters of a space as they stand: where each starts, what moved it, for which entity, until when."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.replaying.controls_log import (
    Hold,
    Move,
    Release,
    parameter_log,
    parameter_records,
    releases,
)
from fraudbrain_shared.controls import ParameterBook, RefusedParameter, Start, start_of
from fraudbrain_shared.masking import Mask
from fraudbrain_shared.records import ContextClock
from fraudbrain_shared.records.control import Number
from fraudbrain_shared.scenario.description import Parameter
from fraudbrain_shared.topics import CLOCK, hold_key, split_key


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter's effective value, for one id or, with an empty one, for all of which nothing else is said.

    `why` is `start`, the cause of its last move, or what a person said; `expires_at` is event time, UTC ms.
    """

    name: str
    id: str
    value: Number
    start: Number
    why: str
    expires_at: int | None = None
    release: str | None = None


def effective(deployment: Deployment, as_of_ms: int) -> list[Effective]:
    """Each parameter's value at an event time, and those of the entities for which it stands elsewhere."""
    scenario = deployment.scenario
    live = (releases(deployment) or [Release("")])[-1]
    version = live.version or None
    book = ParameterBook(scenario)
    book.release(version, live.starting_values)
    for key, value in parameter_log(deployment):
        with suppress(RefusedParameter):  # as each worker does, which tells of it in its progress
            book.update(key, value)
    return [
        each
        for parameter in scenario.parameters.values()
        for each in _of_one(book, parameter, start_of(parameter, version, live.starting_values), as_of_ms)
    ]


def clock_ms(deployment: Deployment) -> int:
    """Up to where the slow tier has seen event time; without one, now. UTC ms."""
    decode = msgspec.json.Decoder(ContextClock).decode
    name, prefix = deployment.names.topic("context"), f"{CLOCK}|".encode()
    clocks = {
        message.key(): decode(message.value() or b"").event_time
        for message in kafka.read_all(deployment.stack.kafka_bootstrap, name)
        if (message.key() or b"").startswith(prefix) and message.value()
    }
    return min(clocks.values(), default=int(time.time() * 1000))


def history(deployment: Deployment, name: str | None, id_: str | None) -> list[Move | Hold]:
    """The records of one parameter, or of all, in the order in which they were published."""
    return [
        each
        for each in parameter_records(deployment)
        if (name is None or _of(each)[0] == name) and (id_ is None or _of(each)[1] == id_)
    ]


def masked(records: Sequence[Move | Hold], mask: Mask) -> list[Move | Hold]:
    """The records with ids as people may see them."""
    return [_masked(each, mask) for each in records]


def _masked(entry: Move | Hold, mask: Mask) -> Move | Hold:
    name, id_ = _of(entry)
    shown = mask.parameter_id(name, id_)
    if isinstance(entry, Move):
        return Move(msgspec.structs.replace(entry.record, id=shown), entry.append_ms)
    record = entry.record and msgspec.structs.replace(entry.record, id=shown)
    return Hold(hold_key(name, shown).decode(), record, entry.append_ms)


def _of_one(book: ParameterBook, parameter: Parameter, start: Start, as_of_ms: int) -> Iterator[Effective]:
    moved = book.moved(parameter.name, as_of_ms)
    if "" not in moved:
        yield Effective(name=parameter.name, id="", value=start.value, start=start.value, why="start")
    for id_, value in sorted(moved.items()):
        last, hold = book.last(parameter.name, id_), book.hold(parameter.name, id_)
        yield Effective(
            name=parameter.name,
            id=id_,
            value=value,
            start=start.value,
            why=f"{hold.action} by {hold.author}: {hold.reason}" if hold else last.cause if last else "",
            expires_at=last.expires_at if last and not hold else None,
            release=start.release,
        )


def _of(record: Move | Hold) -> tuple[str, str]:
    if isinstance(record, Move):
        return record.record.name, record.record.id
    _, name, id_ = split_key(record.key.encode(), parts=3)
    return name, id_


def as_json(records: Sequence[Move | Hold]) -> bytes:
    """Records with the time at which each was published."""
    return msgspec.json.encode(
        [
            {"append_ms": each.append_ms, "name": _of(each)[0], "id": _of(each)[1]}
            | (msgspec.to_builtins(each.record) if each.record else {"action": "released"})
            for each in records
        ]
    )
