"""What a worker holds in memory for one partition that it owns."""

from collections import Counter
from heapq import heappop, heappush

from fraudbrain_realtime.held import HeldEvents
from fraudbrain_realtime.ports import Hand
from fraudbrain_realtime.profiles import Profiles


class Outstanding:
    """Offsets whose decision or dead letter was sent and is not yet acknowledged.

    They come in ascending order but for those of held events, which end later than events behind them; one that was
    decided may have a dead letter then, too.
    """

    def __init__(self) -> None:
        self._sent: list[int] = []
        self._acked_early: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._sent) - self._acked_early.total()

    def sent(self, offset: int) -> None:
        """Something was sent for the event at this offset."""
        heappush(self._sent, offset)

    def acked(self, offset: int) -> None:
        """Acknowledgements of two topics may overtake each other."""
        self._acked_early[offset] += 1
        while self._sent and (first := self._sent[0]) in self._acked_early:
            heappop(self._sent)
            self._acked_early[first] -= 1
            if not self._acked_early[first]:
                del self._acked_early[first]

    def all_acked_below(self, offset: int) -> bool:
        """Whether everything sent for smaller offsets is acknowledged."""
        return not self._sent or self._sent[0] >= offset


class PartitionState:
    """A partition's profiles and how far its events are decided, flushed and committed.

    All positions are *next offsets*: every event below `position` is decided, and applied in memory unless it is
    `held`; every one below `flushed` stands in the profile store, and `committed` is confirmed.
    """

    def __init__(self, number: int, start: int, profiles: Profiles, held: HeldEvents, hand: Hand) -> None:
        self.number = number
        self.position = start
        self.flushed = start
        self.committed = start
        self.outstanding = Outstanding()
        self.profiles = profiles
        self.held = held
        self.hand = hand
