"""What moved in a space: the records of its control topics, read to their ends."""

from dataclasses import dataclass

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_shared.records import ParameterHold, ParameterValue, RuleSet
from fraudbrain_shared.topics import CHAMPION_MODEL, LIVE_RULES, VALUE


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
        key, value, append_ms = (message.key() or b"").decode(), message.value(), message.timestamp()[1]
        if not key.startswith(f"{VALUE}|"):
            found.append(Hold(key, msgspec.json.decode(value, type=ParameterHold) if value else None, append_ms))
        elif value is not None:
            found.append(Move(msgspec.json.decode(value, type=ParameterValue), append_ms))
    return found


def parameter_log(deployment: Deployment) -> list[tuple[bytes, bytes | None]]:
    """Keys and values of the topic `parameters` in order, as they are."""
    return [(message.key() or b"", message.value()) for message in _records(deployment, "parameters", None)]


def moves(deployment: Deployment, since: kafka.Offsets | None = None) -> list[Move]:
    """The governor's records only."""
    return [each for each in parameter_records(deployment, since) if isinstance(each, Move)]


def releases(deployment: Deployment, since: kafka.Offsets | None = None) -> list[Release]:
    """The champions in the order in which they were published."""
    decode = msgspec.json.Decoder(Release).decode
    records = _records(deployment, "models", since)
    return [decode(each.value() or b"") for each in records if each.key() == CHAMPION_MODEL and each.value()]


def champion_records(deployment: Deployment) -> dict[str, bytes]:
    """The records of champions that the topic still holds, by version."""
    decode = msgspec.json.Decoder(Release).decode
    records = [each.value() for each in _records(deployment, "models", None) if each.key() == CHAMPION_MODEL]
    return {decode(record).version: record for record in records if record}


def rule_sets(deployment: Deployment) -> list[RuleSet]:
    """The rule sets that were published as live."""
    decode = msgspec.json.Decoder(RuleSet).decode
    records = _records(deployment, "rules", None)
    return [decode(each.value() or b"") for each in records if each.key() == LIVE_RULES and each.value()]


def _records(deployment: Deployment, topic: str, since: kafka.Offsets | None) -> "list[kafka.Message]":
    name = deployment.names.topic(topic)
    return list(kafka.read_all(deployment.stack.kafka_bootstrap, name, since=since))
