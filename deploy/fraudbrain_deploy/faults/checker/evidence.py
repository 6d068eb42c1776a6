"""What the judge is shown: everything that stands in the topics and tables after a campaign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Headers = tuple[tuple[str, bytes], ...]


class Record(NamedTuple):
    """A record as it stands in a topic; `append_ms` is the broker's, UTC."""

    offset: int
    append_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Row(NamedTuple):
    """A row of a table of profiles, with the timestamp of its cell."""

    key: bytes
    timestamp: int
    value: bytes


class Sent(NamedTuple):
    """A record that the source was told is in the log, and how it should end there.

    `intended` is `decided`, `folded`, `duplicate`, the reason of a dead letter, or empty where the source cannot tell.
    """

    offset: int
    digest: int
    intended: str


@dataclass(frozen=True)
class Partition:
    """One partition of `events` with the decisions on it; `rows` are the profiles of each group."""

    number: int
    events: Sequence[Record]
    decisions: Sequence[Record]
    rows: Mapping[str, Sequence[Row]]
    sent: Sequence[Sent]
