"""What offsets and profiles belong to: the log's generation and each group's epoch, as the table `meta` keeps them."""

from typing import Final

import msgspec


class LogTopic(msgspec.Struct, frozen=True):
    """Which topic stands behind a name: one that is made anew has another id."""

    id: str
    partitions: int


class LogGeneration(msgspec.Struct, frozen=True):
    """The log in which offsets mean something. `topics` are `events` and `decisions`, by these names; the generation
    is raised when one of them was made anew or repartitioned."""

    generation: int
    topics: dict[str, LogTopic]


class GroupEpoch(msgspec.Struct, frozen=True):
    """What a group's profiles belong to: they were folded from the log of `generation`, by `folds` (see `fold_hash`).
    The epoch is raised when either changes; profiles of an earlier one count for nothing. `since` is the event time
    (UTC ms) from which on they know all events; 0 where the log was the whole history."""

    epoch: int
    generation: int
    folds: str
    since: int = 0


LOG_TOPICS: Final = ("events", "decisions")

META_COLUMN: Final = b"m:record"
LOG_ROW: Final = b"log"
GROUP_PREFIX: Final = b"group|"


def group_row(group: str) -> bytes:
    """The row of a group's epoch in `meta`."""
    return GROUP_PREFIX + group.encode()
