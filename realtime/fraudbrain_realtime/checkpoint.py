"""Making progress durable, in the one order that loses nothing: decision acked → profile flushed →
offset committed.

A crash before the flush repeats decisions from the same profile; a crash before the commit finds in
each row the offset it has applied and skips what came before.
"""

from collections.abc import Mapping

import msgspec

from fraudbrain_realtime.partition import PartitionState
from fraudbrain_realtime.ports import Broker, Clock, Keeper

EPOCH_SHIFT = 44  # cell timestamps are epoch · 2^44 + next offset


class Snapshot(msgspec.Struct, gc=False):
    """The changed rows as they were when every event below `next_offset` was applied."""

    next_offset: int
    rows: Mapping[str, bytes]


class Checkpoint:
    """Carries one partition's state to the store and its position to the broker."""

    def __init__(
        self, state: PartitionState, broker: Broker, keeper: Keeper, clock: Clock, *, epoch: int, interval_s: float
    ) -> None:
        self._state = state
        self._broker = broker
        self._keeper = keeper
        self._clock = clock
        self._epoch = epoch
        self._interval_s = interval_s
        self._due_s = clock() + interval_s
        self._retry_s = 0.0
        self._flushed_s = clock()
        self._snapshot: Snapshot | None = None
        self._save_outstanding = False
        self._commit_outstanding = False

    def advance(self) -> None:
        """Does whichever steps are due. Never waits."""
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
        """Copies the changed rows, unless an earlier copy is still to be flushed. While events are held none is
        taken: their subjects' rows lag behind, and a commit would say that they are applied."""
        state = self._state
        if self._snapshot is not None or state.position == state.flushed or state.held:
            return
        self._snapshot = Snapshot(state.position, state.profiles.take_unsaved())
        self._due_s = self._clock() + self._interval_s

    def _flush_when_acked(self, snapshot: Snapshot) -> None:
        """Has the copy written once everything sent for its events is acknowledged. A store that is away is asked
        again an interval later, a keeper without room in the next turn."""
        if self._save_outstanding or not self._state.outstanding.all_acked_below(snapshot.next_offset):
            return
        if not snapshot.rows:
            self._saved(True)
        elif self._clock() >= self._retry_s:
            timestamp = (self._epoch << EPOCH_SHIFT) + snapshot.next_offset
            self._save_outstanding = self._keeper.save(self._state.number, snapshot.rows, timestamp, self._saved)

    def _saved(self, is_done: bool) -> None:
        self._save_outstanding = False
        if not is_done:
            self._retry_s = self._clock() + self._interval_s
        elif self._snapshot is not None:
            self._state.flushed = self._snapshot.next_offset
            self._state.profiles.saved()
            self._snapshot = None
            self._flushed_s = self._clock()

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
    def flush_age_s(self) -> float:
        """How long ago the last flush ended, where something waits for the next one; else 0."""
        return 0.0 if self.flushed else self._clock() - self._flushed_s

    @property
    def flushed(self) -> bool:
        """Whether everything decided stands in the store."""
        return self._snapshot is None and self._state.position == self._state.flushed

    @property
    def settled(self) -> bool:
        """Whether everything decided is flushed and its commit confirmed."""
        return self.flushed and self._state.flushed == self._state.committed
