"""The profiles of one partition in memory: bytes until they are touched, and put away when they are too many."""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from fraudbrain_realtime.rows import own_profile
from fraudbrain_shared.features import Profile, WarmProfiles

PUT_AWAY_AT_ONCE: Final = 256  # more than a turn can bring, few enough that no event waits


class Profiles:
    """Knows of each subject its profile, or that the store must be asked.

    About `limit` are held. When they are more, clean ones that were not touched for long are put away: what was
    touched is `recent`, the rest is older, and once nothing is older, all that is recent becomes so. `warm` are
    those that stay unpacked. `epoch` is the group's: a row of another one was folded from another log or by another
    scenario, and counts as absent.
    """

    def __init__(self, epoch: int, limit: int, warm: int) -> None:
        self.limit = limit
        self.warm = WarmProfiles(warm)
        self._epoch = epoch
        self._recent: dict[str, Profile] = {}
        self._older: dict[str, Profile | bytes] = {}
        self._leaving: Iterator[str] = iter(())
        self._dirty: set[str] = set()
        self._saving: Mapping[str, bytes] = {}
        self._is_scanned = False
        self.put_away = 0
        """How many are not in memory though they were, or were found by the scan."""

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    @property
    def unsaved(self) -> int:
        """How many the store does not have as they are."""
        return len(self._dirty) + len(self._saving)

    def lacks(self, subject: str) -> bool:
        """Whether the store must be asked for it."""
        return subject not in self._recent and subject not in self._older and not self._is_complete

    def get(self, subject: str) -> Profile | None:
        """The subject's profile, a new one if it has none; None where the store must be asked first."""
        profile = self._recent.get(subject)
        if profile is None and (profile := self._from_older(subject)) is not None:
            self._recent[subject] = profile
        return profile

    def loaded(self, subject: str, row: bytes | None) -> None:
        """Takes what the store has for a subject that was lacking."""
        self._recent[subject] = Profile(subject) if row is None else self.decoded(subject, row)

    def changed(self, profile: Profile) -> None:
        """Takes a profile that was folded further than its row."""
        self._recent[profile.subject] = profile
        self._dirty.add(profile.subject)

    def decoded(self, subject: str, row: bytes) -> Profile:
        """The row's profile, a new one where an earlier epoch left it. Raises WrongEpoch."""
        return own_profile(subject, row, self._epoch)

    def keep_to_limit(self) -> None:
        """Puts some away if they are too many: between two events, never while one is worked on."""
        for _ in range(min(len(self) - self.limit, PUT_AWAY_AT_ONCE)):
            subject = self._touched_longest_ago()
            profile = self._older.pop(subject)
            if isinstance(profile, Profile) and (subject in self._dirty or subject in self._saving):
                self._recent[subject] = profile
            else:
                self.warm.forget(subject)
                self.put_away += 1

    def _touched_longest_ago(self) -> str:
        for subject in self._leaving:
            if subject in self._older:
                return subject
        if not self._older:
            self._older, self._recent = cast(dict[str, Profile | bytes], self._recent), {}
        self._leaving = iter(list(self._older))
        return next(self._leaving)

    # The scan of the partition's rows

    def found(self, rows: Mapping[str, bytes]) -> None:
        """Takes rows of the scan. What is in memory is as new or newer, also if it was put away meanwhile."""
        for subject, row in rows.items():
            if self.put_away or len(self) >= self.limit:
                self.put_away += 1
            elif subject not in self._recent:
                self._older.setdefault(subject, row)

    def scanned(self) -> None:
        """The scan found all there is: who is not in memory has no row, as long as none was put away."""
        self._is_scanned = True

    # Saving

    def take_unsaved(self) -> Mapping[str, bytes]:
        """The rows of all that changed since the last call; they stay in memory until they are `saved`."""
        dirty, self._dirty = self._dirty, set()
        self._saving = self.warm.flush(map(self._changed, dirty))
        return self._saving

    def saved(self) -> None:
        """What was taken last stands in the store."""
        self._saving = {}

    @property
    def _is_complete(self) -> bool:
        return self._is_scanned and not self.put_away

    def _from_older(self, subject: str) -> Profile | None:
        kept = self._older.pop(subject, None)
        if isinstance(kept, Profile):
            return kept
        if kept is not None:
            return self.decoded(subject, kept)
        return Profile(subject) if self._is_complete else None

    def _changed(self, subject: str) -> Profile:
        profile = self._recent.get(subject) or self._older[subject]
        assert isinstance(profile, Profile)
        return profile
