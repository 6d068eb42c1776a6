"""What a worker needs of the world: a broker, a store for profiles, a keeper, a journal and a clock.

The loop knows only these. Production gives it Kafka, HBase, a child process and a file; tests and the simulator give it
memory. No call waits longer than told, and what is told by a callback is told during a later `poll`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]


class Message(msgspec.Struct, frozen=True, gc=False):
    """A record of the events topic. `append_time` is the broker's, UTC milliseconds.

    An event of a stepped replay names its `step`, as `run|number`, and the step's start, `clock`, UTC ms. Nobody waits
    for the answer to a replayed event: it may wait for its profile. `headers` are all that it came with. `polled_at` is
    when it was handed out, by this machine's clock, UTC milliseconds; 0 where nobody looked.
    """

    partition: int
    offset: int
    append_time: int
    key: bytes | None
    value: bytes | None
    step: str = ""
    clock: int | None = None
    is_replayed: bool = False
    headers: Headers = ()
    polled_at: int = 0


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
    """The log. Acknowledgements, commits and changes of ownership are heard of during `poll`."""

    def poll(self, wait_s: float, *, take: bool = True) -> Sequence[Message]:
        """New events, in order within a partition; none without `take`, which only serves what is outstanding."""

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

    def commit(self, offsets: Mapping[int, int], done: Callable[[Mapping[int, int] | None], None]) -> None:
        """Asks to commit next offsets by partition; `done` hears what was committed, or None if it was refused or
        failed."""

    def read_again(self, partition: int, offset: int, end: int) -> Sequence[Message]:
        """Events from `offset` up to before `end` that were handed out before, in order: as many as have come by now,
        maybe none. Quick where `offset` follows what the last call for the partition gave.
        """


class ProfileStore(Protocol):
    """Rows of profiles, by partition and subject."""

    def load(self, partition: int, subjects: Sequence[str], within_s: float) -> dict[str, bytes]:
        """The rows that exist. Raises StoreUnavailable, at the latest when the time is over."""


class Keeper(Protocol):
    """Does beside the loop what would make it wait. Each request that it took is answered once, in a later `poll`."""

    def save(self, partition: int, rows: Mapping[str, bytes], timestamp: int, done: Callable[[bool], None]) -> bool:
        """Writes rows to the store, where one with a larger timestamp stays. Whether there was room for the request.

        `done` hears whether all are written. If not, some may be, or may be yet: the same may be asked again.
        """

    def scan(self, partition: int, found: Callable[[Mapping[str, bytes]], None], done: Callable[[bool], None]) -> bool:
        """Reads all rows of a partition, handed to `found` in pieces. Whether there was room for the request.

        `done` hears whether all were found that stood in the store when the scan began.
        """

    def load(
        self,
        partition: int,
        subjects: Sequence[str],
        found: Callable[[Mapping[str, bytes]], None],
        done: Callable[[bool], None],
    ) -> bool:
        """Reads the rows of some subjects; the rest as for a scan."""

    def answer(self, decisions: Mapping[str, bytes]) -> None:
        """Makes decisions known, by key, to whoever asks for them; where that fails nobody is told."""

    def poll(self, wait_s: float = 0.0) -> None:
        """Serves the answers that have come, some of them if they are many; waits so long for the first."""


class Journal(Protocol):
    """Remembers, beyond the death of the process, which event it had in hand."""

    def open(self, partition: int) -> "Hand":
        """The partition's place in the journal."""


class Hand(Protocol):
    """Which event of one partition is in hand."""

    fatal: frozenset[int]
    """The offsets of events each of which was in hand when the process died, twice or more in a row."""

    def take(self, offset: int) -> None:
        """This event is being worked on from now on."""

    def put_down(self) -> None:
        """None is."""


Clock: TypeAlias = Callable[[], float]
"""Seconds of a clock that cannot jump."""
