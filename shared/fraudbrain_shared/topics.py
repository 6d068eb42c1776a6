"""The topics: their names, who keys them by what, and how the broker keeps them."""

from dataclasses import dataclass, field
from typing import Literal

DAY_MS = 86_400_000

# What a decision may be made by must be found again by whoever decides an old event: the control
# topics keep every record at least as long as `events` keeps events.
EVENTS_RETENTION_MS = 30 * DAY_MS
# Who changed the rules, when and why is asked for years: no version is compacted away before. A version is some
# kilobytes, and people publish a few a day.
RULES_HISTORY_MS = 3_650 * DAY_MS
MODEL_RECORD_BYTES = 8 * 1024 * 1024
# Whatever the broker took as an event, up to its 1 MiB, fits with what a dead letter adds.
LETTER_BYTES = 2 * 1024 * 1024
CONTROL_RECORD_BYTES = 1024 * 1024
"""The longest record of the other control topics: what a broker takes where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is created. `partitions` None: as many as `events` has."""

    name: str
    cleanup: Literal["delete", "compact"]
    partitions: int | None = 1
    settings: dict[str, str] = field(default_factory=dict)

    def config(self) -> dict[str, str]:
        """The broker's settings of this topic."""
        keep = (
            {"retention.ms": str(EVENTS_RETENTION_MS)}
            if self.cleanup == "delete"
            else {"min.compaction.lag.ms": str(EVENTS_RETENTION_MS)}
        )
        return {
            "cleanup.policy": self.cleanup,
            "message.timestamp.type": "LogAppendTime",
            **keep,
            **self.settings,
        }


TOPICS = (
    Topic("events", "delete", partitions=None),
    Topic("decisions", "delete", partitions=None),
    Topic("labels", "delete", partitions=None),
    Topic("labelled", "delete", partitions=None),
    Topic(
        "dead-letters",
        "delete",
        settings={"retention.ms": str(365 * DAY_MS), "max.message.bytes": str(LETTER_BYTES)},
    ),
    Topic("rules", "compact", settings={"min.compaction.lag.ms": str(RULES_HISTORY_MS)}),
    Topic("parameters", "compact"),
    Topic("context", "compact"),
    Topic("models", "compact", settings={"max.message.bytes": str(MODEL_RECORD_BYTES)}),
    Topic("proposals", "compact"),
    Topic("progress", "compact"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """How everything of one deployment is called. `space` is the scenario's name unless two
    deployments of one scenario live side by side (a replay beside the live one)."""

    space: str

    def topic(self, name: str) -> str:
        """The full name of a topic, such as `fraudbrain.cards.events`."""
        return f"fraudbrain.{self.space}.{name}"

    def table(self, name: str) -> str:
        """The full name of an HBase table, such as `fraudbrain.cards.decisions`."""
        return f"fraudbrain.{self.space}.{name}"

    def group(self, name: str) -> str:
        """The consumer group of a fast-tier group, such as `fraudbrain.cards.realtime.a`."""
        return f"fraudbrain.{self.space}.realtime.{name}"

    def answer(self, subject: str, event_id: str) -> str:
        """The Redis key of the decision on an event, such as `fraudbrain.cards.decision|6:card-1|e1`. The subject's
        length keeps apart what the characters of both might mix up."""
        return f"fraudbrain.{self.space}.decision|{len(subject)}:{subject}|{event_id}"


LIVE_RULES = b"live"
"""The key on `rules` of the rule set that decides."""

CHAMPION_MODEL = b"champion"
CHALLENGER_MODEL = b"challenger"
"""The keys on `models` of the release that scores, and of the one in its shadow."""

# The first part of the keys of control records that are no entity's.
CLOCK = "_clock"
VALUE = "value"
HOLD = "hold"


def context_key(entity: str, id_: str) -> bytes:
    """The key of an entity's state on `context`."""
    return f"{entity}|{id_}".encode()


def clock_key(job: str) -> bytes:
    """The key of a job's clock on `context`."""
    return f"{CLOCK}|{job}".encode()


def value_key(parameter: str, id_: str = "") -> bytes:
    """The key of a parameter's value on `parameters`: only the governor writes it. No id: the global one."""
    return f"{VALUE}|{parameter}|{id_}".encode()


def hold_key(parameter: str, id_: str = "") -> bytes:
    """The key of a hold on `parameters`: only people write it."""
    return f"{HOLD}|{parameter}|{id_}".encode()


def split_key(key: bytes, *, parts: int) -> list[str]:
    """The parts of such a key; the last, an id, may hold anything. Raises ValueError where there are fewer."""
    found = key.decode().split("|", parts - 1)
    if len(found) < parts:
        raise ValueError(f"the key has {len(found)} of {parts} parts")
    return found
