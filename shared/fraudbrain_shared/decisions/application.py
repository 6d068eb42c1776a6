"""What becomes of an admitted event, on its subject's profile: the same live, in a replay and in a simulation."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from fraudbrain_shared.admission import AdmittedEvent, Rejected
from fraudbrain_shared.features import Profile, ProfileFold, hash64, recall, remember
from fraudbrain_shared.features.reads import Reading
from fraudbrain_shared.records import Decision, Reason
from fraudbrain_shared.scenario.description import Scenario

Decide = Callable[[AdmittedEvent, Profile, Sequence[Reading]], Decision]
"""The decision on an event, by its subject's profile as it was just before and the features read from it."""


class Undecided(Enum):
    """How an event ends that gets no decision."""

    FOLDED = "folded"
    """Its type is not decided."""

    DUPLICATE = "duplicate"
    """It came before, the same."""


Ending = Decision | Undecided | Rejected
"""How an event ends: each in exactly one way."""

_CONFLICT: Final = Rejected(Reason.CONFLICT, "its event_id came before with another payload")


class Application:
    """Applies events to profiles. It decides before it folds, so that no decision sees its own event."""

    def __init__(self, scenario: Scenario, fold: ProfileFold) -> None:
        self._decided_types = {name for name, kind in scenario.event_types.items() if kind.decide}
        self._fold = fold

    def is_decided(self, event: AdmittedEvent) -> bool:
        """Whether events of its type get a decision."""
        return event.type in self._decided_types

    def apply(self, profile: Profile, event: AdmittedEvent, payload: bytes, decide: Decide | None) -> Ending:
        """The decision on the event, or how it ends without one; folds it into the profile unless its id came before.

        `payload` are the bytes that it was decoded from: a duplicate has the same, else the event is rejected. Without
        `decide` it is folded only: it was decided before.
        """
        event_id, hashed = hash64(event.event_id.encode()), hash64(payload)
        known = recall(profile, event_id)
        if known is not None:
            return Undecided.DUPLICATE if known == hashed else _CONFLICT
        ending: Ending = Undecided.FOLDED
        readings: Sequence[Reading] | None = None
        if decide is not None and event.type in self._decided_types:
            readings = self._fold.read(profile, event)
            ending = decide(event, profile, readings)
        self._fold.fold(profile, event, readings)
        remember(profile, event_id, hashed, event.event_time)
        return ending
