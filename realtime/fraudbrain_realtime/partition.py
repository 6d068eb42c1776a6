"""What a worker holds in memory for one partition that it owns."""

from heapq import heappop, heappush

from fraudbrain_realtime.held import HeldEvents
from fraudbrain_realtime.ports import Hand
from fraudbrain_realtime.profiles import Profiles


class Outstanding:
    """Offsets whose decision or dead letter was sent and is not yet acknowledged.

    They come in ascending order but for those of held events, which end later than events behind them.
    """

    def __init__(self) -> None:
        self._sent: list[int] = []
        self._acked_early: set[int] = set()

    def __len__(self) -> int:
        return len(self._sent) - len(self._acked_early)

    def sent(self, offset: int) -> None:
        """Each at most once."""
        heappush(self._sent, offset)

    def acked(self, offset: int) -> None:
        """Acknowledgements of two topics may overtake each other."""
        self._acked_early.add(offset)
        while self._sent and self._sent[0] in self._acked_early:
            self._acked_early.discard(heappop(self._sent))

    def all_acked_below(self, offset: int) -> bool:
        """Whether everything sent for smaller offsets is acknowledged."""
        return not self._sent or self._sent[0] >= offset


class PartitionState:
    """A partition's profiles and how far its events are decided, flushed and committed.

    All positions are *next offsets*: every event below `position` is decided, and applied in memory unless it is
    `held`; every one below `flushed` stands in the profile store, and `committed` is confirmed.
    """

    def __init__(self, number: int, start: int, profiles: Profiles, hand: Hand) -> None:
        self.number = number
        self.position = start
        self.flushed = start
        self.committed = start
        self.outstanding = Outstanding()
        self.profiles = profiles
        self.held = HeldEvents()
        self.hand = hand
