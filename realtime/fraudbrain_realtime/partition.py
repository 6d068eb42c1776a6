"""What a worker holds in memory for one partition that it owns."""

from collections import deque

from fraudbrain_shared.features import Profile


class Outstanding:
    """Offsets whose decision or dead letter was sent and is not yet acknowledged."""

    def __init__(self) -> None:
        self._order: deque[int] = deque()
        self._acked_early: set[int] = set()

    def __len__(self) -> int:
        return len(self._order) - len(self._acked_early)

    def sent(self, offset: int) -> None:
        """Offsets must come in ascending order."""
        self._order.append(offset)

    def acked(self, offset: int) -> None:
        """Acknowledgements of two topics may overtake each other."""
        self._acked_early.add(offset)
        while self._order and self._order[0] in self._acked_early:
            self._acked_early.discard(self._order.popleft())

    def all_acked_below(self, offset: int) -> bool:
        """Whether everything sent for smaller offsets is acknowledged."""
        return not self._order or self._order[0] >= offset


class PartitionState:
    """A partition's profiles and how far its events are decided, flushed and committed.

    All positions are *next offsets*: every event below `position` is decided and applied in
    memory, every one below `flushed` stands in the profile store, and `committed` is confirmed.

    `dirty` are the subjects that were touched since the last copy was taken for a flush, `warm` those that were in the
    time before: their profiles are not yet at rest.
    """

    def __init__(self, number: int, start: int) -> None:
        self.number = number
        self.position = start
        self.flushed = start
        self.committed = start
        self.outstanding = Outstanding()
        self.profiles: dict[str, Profile] = {}
        self.dirty: set[str] = set()
        self.warm: set[str] = set()
