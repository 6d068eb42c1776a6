"""What a source does with an event: what was decided, or the safe default and why it had to be used."""

import enum
from dataclasses import dataclass

from fraudbrain_shared.records import Decision, Outcome


class NotDecided(enum.StrEnum):
    """Why an answer is the safe default."""

    LATE = "late"
    """The event is in the log, but no decision came before the deadline. It is still decided."""

    NOT_ACKNOWLEDGED = "not_acknowledged"
    """The broker has not confirmed the event before the deadline. It is still sent, and then decided."""

    NOT_SENT = "not_sent"
    """The broker refused the event, or too many wait for it. It is not in the log: it may be sent again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for one event. `outcome` is the decision's, or the type's safe default where nothing was decided in
    time; then `reason` says why. `seconds` is how long it took."""

    outcome: Outcome
    seconds: float
    decision: Decision | None = None
    reason: NotDecided | None = None

    @property
    def decided(self) -> bool:
        """Whether the outcome was decided, and is no safe default."""
        return self.decision is not None
