"""Making progress durable, in the one order that loses nothing: decision acked → profile flushed →
offset committed.

A crash before the flush repeats decisions from the same profile; a crash before the commit finds in
each row the offset it has applied and skips what came before.
"""

from collections.abc import Mapping

import msgspec

from fraudbrain_realtime.partition import PartitionState
from fraudbrain_realtime.ports import Broker, Clock, ProfileStore, StoreUnavailable
from fraudbrain_shared.features import encode_profile, put_to_rest

EPOCH_SHIFT = 44  # cell timestamps are epoch · 2^44 + next offset


class Snapshot(msgspec.Struct, gc=False):
    """The dirty rows as they were when every event below `next_offset` was applied."""

    next_offset: int
    rows: dict[str, bytes]


class Checkpoint:
    """Carries one partition's state to the store and its position to the broker."""

    def __init__(
        self, state: PartitionState, broker: Broker, store: ProfileStore, clock: Clock, *, epoch: int, interval_s: float
    ) -> None:
        self._state = state
        self._broker = broker
        self._store = store
        self._clock = clock
        self._epoch = epoch
        self._interval_s = interval_s
        self._due_s = clock() + interval_s
        self._retry_s = 0.0
        self._snapshot: Snapshot | None = None
        self._commit_outstanding = False

    def advance(self) -> None:
        """Does whichever steps are due. Never waits for the broker."""
        if self._clock() >= self._due_s:
            self._take_snapshot()
        if self._snapshot is not None:
            self._flush_when_acked(self._snapshot)
        self._commit_when_flushed()

    def finish(self) -> None:
        """The same steps, due or not: for a partition about to be given up."""
        self._due_s = 0.0
        self.advance()

    def _take_snapshot(self) -> None:
        """Copies the dirty rows, unless an earlier copy is still to be flushed. A subject that was touched in the time
        before and not in this one is put to rest: those that come often need not be unpacked each time."""
        state = self._state
        if self._snapshot is not None or state.position == state.flushed:
            return
        rows = {subject: encode_profile(state.profiles[subject]) for subject in state.dirty}
        self._snapshot = Snapshot(state.position, rows)
        for subject in state.warm - state.dirty:
            put_to_rest(state.profiles[subject])
        state.warm, state.dirty = state.dirty, set()
        self._due_s = self._clock() + self._interval_s

    def _flush_when_acked(self, snapshot: Snapshot) -> None:
        """Writes the copy once everything sent for its events is acknowledged. A store that is away
        is asked again an interval later."""
        if not self._state.outstanding.all_acked_below(snapshot.next_offset) or self._clock() < self._retry_s:
            return
        try:
            if snapshot.rows:
                timestamp = (self._epoch << EPOCH_SHIFT) + snapshot.next_offset
                self._store.save(self._state.number, snapshot.rows, timestamp)
        except StoreUnavailable:
            self._retry_s = self._clock() + self._interval_s
            return
        self._state.flushed = snapshot.next_offset
        self._snapshot = None

    def _commit_when_flushed(self) -> None:
        """Asks the broker to note how far the store has come; one request at a time."""
        state = self._state
        if self._commit_outstanding or state.flushed == state.committed:
            return
        self._commit_outstanding = True
        self._broker.commit({state.number: state.flushed}, self._committed)

    def _committed(self, offsets: Mapping[int, int] | None) -> None:
        self._commit_outstanding = False
        if offsets is not None:
            self._state.committed = max(self._state.committed, offsets[self._state.number])

    @property
    def settled(self) -> bool:
        """Whether everything decided is flushed and its commit confirmed."""
        state = self._state
        return self._snapshot is None and state.position == state.flushed == state.committed
