"""Bringing a partition's rows into memory, all at once and beside the deciding."""

from typing import Final

from fraudbrain_realtime.partition import PartitionState
from fraudbrain_realtime.ports import Clock, Keeper

RETRY_S: Final = 5.0


class BulkScan:
    """Asks the keeper for the partition's rows until it has given them all. Till then rows are loaded one by one."""

    def __init__(self, state: PartitionState, keeper: Keeper, clock: Clock) -> None:
        self._state = state
        self._keeper = keeper
        self._clock = clock
        self._due_s = clock()
        self._is_running = False
        self.is_over = False

    def advance(self) -> None:
        """Starts it when due; a failed one starts again a while later. Never waits."""
        if not self._is_running and not self.is_over and self._clock() >= self._due_s:
            profiles = self._state.profiles
            self._is_running = self._keeper.scan(self._state.number, profiles.found, self._done)

    def _done(self, is_whole: bool) -> None:
        self._is_running = False
        self.is_over = is_whole
        self._due_s = self._clock() + RETRY_S
        if is_whole:
            self._state.profiles.scanned()
