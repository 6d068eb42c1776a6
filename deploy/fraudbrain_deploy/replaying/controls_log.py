"""What moved in a space: the records of its control topics, read to their ends.

A record that is none of its topic is passed over: no worker acts by it, and each tells why in its progress.
"""

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_shared.records import ParameterHold, ParameterValue, RuleSet
from fraudbrain_shared.topics import CHAMPION_MODEL, HOLD, LIVE_RULES, VALUE

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Move:
    """A record of the governor and when the broker took it, UTC ms."""

    record: ParameterValue
    append_ms: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A person's word on a parameter and when the broker took it; None took an earlier one back."""

    key: str
    record: ParameterHold | None
    append_ms: int


class Release(msgspec.Struct, frozen=True):
    """As much of a champion's record as a report tells."""

    version: str
    starting_values: dict[str, float] = {}
    trained_as_of: int = 0
    rows: int = 0
    frauds: int = 0


def parameter_records(deployment: Deployment, since: kafka.Offsets | None = None) -> list[Move | Hold]:
    """The records of the topic `parameters` in order, values that were taken back left out."""
    found: list[Move | Hold] = []
    for message in _records(deployment, "parameters", since):
        key, value, append_ms = (message.key() or b"").decode(errors="replace"), message.value(), message.timestamp()[1]
        kind = key.partition("|")[0] if key.count("|") > 1 else ""
        if kind == HOLD:
            hold = _read(_hold, value) if value else None
            if hold or not value:
                found.append(Hold(key, hold, append_ms))
        elif kind == VALUE and value and (move := _read(_move, value)):
            found.append(Move(move, append_ms))
    return found


def parameter_log(deployment: Deployment) -> list[tuple[bytes, bytes | None]]:
    """Keys and values of the topic `parameters` in order, as they are."""
    return [(message.key() or b"", message.value()) for message in _records(deployment, "parameters", None)]


def moves(deployment: Deployment, since: kafka.Offsets | None = None) -> list[Move]:
    """The governor's records only."""
    return [each for each in parameter_records(deployment, since) if isinstance(each, Move)]


def releases(deployment: Deployment, since: kafka.Offsets | None = None) -> list[Release]:
    """The champions in the order in which they were published."""
    return [found for _, found in _champions(deployment, since)]


def champion_records(deployment: Deployment) -> dict[str, bytes]:
    """The records of champions that the topic still holds, by version."""
    return {found.version: record for record, found in _champions(deployment, None)}


def rule_sets(deployment: Deployment) -> list[RuleSet]:
    """The rule sets that were published as live."""
    records = (each.value() for each in _records(deployment, "rules", None) if each.key() == LIVE_RULES)
    return [found for record in records if record and (found := _read(_rules, record))]


def _champions(deployment: Deployment, since: kafka.Offsets | None) -> list[tuple[bytes, Release]]:
    records = (each.value() for each in _records(deployment, "models", since) if each.key() == CHAMPION_MODEL)
    return [(record, found) for record in records if record and (found := _read(_release, record))]


def _read(decoder: "msgspec.json.Decoder[Record]", value: bytes) -> Record | None:
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


_hold = msgspec.json.Decoder(ParameterHold)
_move = msgspec.json.Decoder(ParameterValue)
_release = msgspec.json.Decoder(Release)
_rules = msgspec.json.Decoder(RuleSet)


def _records(deployment: Deployment, topic: str, since: kafka.Offsets | None) -> "list[kafka.Message]":
    name = deployment.names.topic(topic)
    return list(kafka.read_all(deployment.stack.kafka_bootstrap, name, since=since))
