"""Events whose profile could not be loaded: decided without it, and folded once the store is back."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fraudbrain_realtime.ports import Message
from fraudbrain_realtime.profiles import Profiles
from fraudbrain_shared.features import Profile

LOADED_AT_ONCE: Final = 64

Load = Callable[[Sequence[str]], Mapping[str, bytes]]
"""Rows of subjects, or StoreUnavailable."""
ReadAgain = Callable[[int, int], Sequence[Message]]
"""Events from one offset up to before another, as many as are there by now."""
FoldHeld = Callable[[Message, Profile], None]
"""Folds an event that was decided without its profile."""


class HeldEvents:
    """Of one partition. Only offsets are kept: the events are read from the log again and folded in its order.

    A subject of whom an event is held has no profile in memory; its later events are held too, until all are folded.
    """

    def __init__(self) -> None:
        self._subject_at: dict[int, str] = {}
        self._left: Counter[str] = Counter()
        self._to_load: deque[str] = deque()
        self._profiles: dict[str, Profile] = {}
        self._next = 0

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

    def catch_up(self, profiles: Profiles, load: Load, read_again: ReadAgain, fold: FoldHeld, position: int) -> bool:
        """Goes on by one piece: loads some of the profiles that are lacking, or folds events before `position`.

        Whether that led further. A subject whose last event is folded goes over to `profiles`. Raises StoreUnavailable.
        """
        if self._to_load:
            self._load(profiles, load)
            return True
        messages = read_again(self._next, position)
        for message in messages:
            self._next = message.offset + 1
            subject = self._subject_at.pop(message.offset, None)
            if subject is not None:
                self._fold(message, subject, profiles, fold)
        return bool(messages)

    def _load(self, profiles: Profiles, load: Load) -> None:
        subjects = [self._to_load[place] for place in range(min(LOADED_AT_ONCE, len(self._to_load)))]
        rows = load(subjects)
        for subject in subjects:
            self._to_load.popleft()
            row = rows.get(subject)
            self._profiles[subject] = Profile(subject) if row is None else profiles.decoded(subject, row)

    def _fold(self, message: Message, subject: str, profiles: Profiles, fold: FoldHeld) -> None:
        profile = self._profiles[subject]
        fold(message, profile)
        self._left[subject] -= 1
        if not self._left[subject]:
            del self._left[subject], self._profiles[subject]
            profiles.changed(profile)
