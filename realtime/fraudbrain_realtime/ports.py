"""What a worker needs of the world: a broker, a store for profiles, and a clock.

The loop knows only these. Production gives it Kafka and HBase, tests give it memory.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

Headers = Sequence[tuple[str, bytes | None]]


class Message(msgspec.Struct, frozen=True, gc=False):
    """A record of the events topic. `append_time` is the broker's, UTC milliseconds.

    An event of a stepped replay names its `step`, as `run|number`, and the step's start, `clock`, UTC ms. `headers`
    are all that it came with.
    """

    partition: int
    offset: int
    append_time: int
    key: bytes | None
    value: bytes | None
    step: str = ""
    clock: int | None = None
    headers: Headers = ()


class ControlRecord(msgspec.Struct, frozen=True, gc=False):
    """A record of a control topic, which goes by its short name. Without a value it takes back its key.

    `append_time` is the broker's, UTC milliseconds.
    """

    topic: str
    offset: int
    key: bytes
    value: bytes | None
    append_time: int = 0


class StoreUnavailable(Exception):
    """The profile store did not answer in time or refused; the same call may succeed later."""


class Ownership(Protocol):
    """Told by the broker, during `poll` or `close`, whose partitions these are. Must not raise."""

    def assigned(self, starts: Mapping[int, int]) -> None:
        """These partitions are ours from now on, each from the given offset."""

    def revoked(self, partitions: Iterable[int]) -> None:
        """These are about to be another worker's: what was decided may still be flushed and committed."""

    def lost(self, partitions: Iterable[int]) -> None:
        """These are another worker's already: nothing of them may be flushed or committed."""


class Broker(Protocol):
    """The log. All calls return at once, except `poll` and `drain`, which wait no longer than told."""

    def poll(self, wait_s: float) -> Sequence[Message]:
        """New events, in order within a partition. Serves acknowledgements and changes of ownership."""

    def produce(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        partition: int | None,
        acked: Callable[[], None],
    ) -> None:
        """Sends a record to one of our topics; `acked` is called in a later `poll`, in order.

        A record that cannot be delivered fails a later `poll`: nothing is ever skipped.
        """

    def drain(self, timeout_s: float) -> None:
        """Waits until everything produced is acknowledged, or the time is over."""

    def pause(self) -> None:
        """From here on `poll` hands out no events and only serves what is outstanding."""

    def commit(self, offsets: Mapping[int, int], done: Callable[[Mapping[int, int] | None], None]) -> None:
        """Asks to commit next offsets by partition; `done` hears in a later `poll` what was committed,
        or None if it was refused or failed."""


class ProfileStore(Protocol):
    """Rows of profiles, by partition and subject. A row never shows an older write over a newer one."""

    def load(self, partition: int, subjects: Sequence[str]) -> dict[str, bytes]:
        """The rows that exist. Raises StoreUnavailable."""

    def save(self, partition: int, rows: Mapping[str, bytes], timestamp: int) -> None:
        """Writes rows; where a row has a larger timestamp already, that one stays. Raises StoreUnavailable."""


Clock = Callable[[], float]
"""Seconds of a clock that cannot jump."""
