"""The head of the loop's state: what all its rows have in common."""

from typing import Final

import msgspec

HEAD_ROW: Final = b"head"


class Head(msgspec.Struct):
    """How far the loop has come. Times are event times, UTC milliseconds.

    `commit` is the number of the last commit, `applied` the next offsets of what is folded. `earliest` and
    `largest` are the bounds of the admitted events; `since` is when watching began, `clock` the time up to which
    ticks were evaluated and which was published. Context that was changed by a commit after `published_to` may
    be unpublished. `decided` are the next source offsets of decisions by `generation|partition`; `step` is the
    last goal that was reached, as `run|number`.
    """

    id: str
    commit: int = 0
    applied: dict[str, dict[str, int]] = {}
    earliest: int | None = None
    largest: int | None = None
    since: int | None = None
    clock: int | None = None
    published_to: int = 0
    decided: dict[str, int] = {}
    step: str = ""

    def note_event(self, event_time: int) -> None:
        """An admitted event happened then."""
        if self.earliest is None or event_time < self.earliest:
            self.earliest = event_time
        if self.largest is None or event_time > self.largest:
            self.largest = event_time
