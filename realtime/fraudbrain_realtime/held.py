"""Events whose profile could not be loaded: decided without it, and folded once the store is back."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fraudbrain_realtime.ports import Clock, Keeper, Message
from fraudbrain_realtime.profiles import Profiles
from fraudbrain_shared.features import Profile

LOADED_AT_ONCE: Final = 256
RETRY_S: Final = 0.5

ReadAgain = Callable[[int, int], Sequence[Message]]
"""Events from one offset up to before another, as many as are there by now."""
FoldHeld = Callable[[Message, Profile], None]
"""Folds an event that was decided without its profile."""


class HeldEvents:
    """Of one partition. Only offsets are kept: the events are read from the log again and folded in its order.

    A subject of whom an event is held has no profile in memory; its later events are held too, until all are folded.
    The keeper loads the profiles, so that a slow store makes nobody wait.
    """

    def __init__(self, partition: int, profiles: Profiles, keeper: Keeper, clock: Clock) -> None:
        self._partition = partition
        self._memory = profiles
        self._keeper = keeper
        self._clock = clock
        self._subject_at: dict[int, str] = {}
        self._left: Counter[str] = Counter()
        self._profiles: dict[str, Profile] = {}
        self._next = 0
        self._to_load: deque[str] = deque()
        self._loading: list[str] = []
        self._retry_s = 0.0

    def __len__(self) -> int:
        return len(self._subject_at)

    def __contains__(self, subject: str) -> bool:
        return subject in self._left

    def hold(self, subject: str, offset: int) -> None:
        """Keeps the offset of a decided event. Offsets come in ascending order."""
        if not self._subject_at:
            self._next = offset
        if subject not in self._left:
            self._to_load.append(subject)
        self._subject_at[offset] = subject
        self._left[subject] += 1

    def catch_up(self, read_again: ReadAgain, fold: FoldHeld, position: int) -> bool:
        """Goes on by one piece: folds events before `position`, once all profiles are there that they need.

        Whether that led further. A subject whose last event is folded is in memory as all others are.
        """
        if self._loading or self._to_load:
            self._load()
            return False
        messages = read_again(self._next, position)
        for message in messages:
            self._next = message.offset + 1
            subject = self._subject_at.pop(message.offset, None)
            if subject is not None:
                self._fold(message, subject, fold)
        return bool(messages)

    def _load(self) -> None:
        """Has some of the profiles loaded that are lacking, unless that is under way or failed a moment ago."""
        if self._loading or self._clock() < self._retry_s:
            return
        subjects = [self._to_load[place] for place in range(min(LOADED_AT_ONCE, len(self._to_load)))]
        if self._keeper.load(self._partition, subjects, self._found, self._loaded):
            self._loading = subjects

    def _found(self, rows: Mapping[str, bytes]) -> None:
        for subject, row in rows.items():
            self._profiles[subject] = self._memory.decoded(subject, row)

    def _loaded(self, is_done: bool) -> None:
        subjects, self._loading = self._loading, []
        if not is_done:
            self._retry_s = self._clock() + RETRY_S
            return
        for subject in subjects:
            self._to_load.popleft()
            self._profiles.setdefault(subject, Profile(subject))

    def _fold(self, message: Message, subject: str, fold: FoldHeld) -> None:
        profile = self._profiles[subject]
        fold(message, profile)
        self._left[subject] -= 1
        if not self._left[subject]:
            del self._left[subject], self._profiles[subject]
            self._memory.changed(profile)
