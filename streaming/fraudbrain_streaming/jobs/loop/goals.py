"""What stands on `progress` for the loop: the goal of a stepped replay, and how far the archive is."""

import logging
from collections.abc import Iterable
from typing import Final

import msgspec

from fraudbrain_shared.records import Progress, StepGoal
from fraudbrain_streaming.jobs.loop.controls import TopicRecord
from fraudbrain_streaming.jobs.loop.offsets import Offsets

_LOG = logging.getLogger(__name__)
_GOAL: Final = b"goal|"


class Goals:
    """The latest goal, while its replay goes on. `archive` is the key of the archive's progress."""

    def __init__(self, archive: bytes = b"streaming|archive") -> None:
        self._archive = archive
        self.goal: StepGoal | None = None
        self.archived: Offsets = {}

    def receive(self, records: Iterable[TopicRecord]) -> None:
        """Take records of `progress`, in order; others are passed over."""
        for record in records:
            if record.topic != "progress":
                continue
            try:
                self._take(record)
            except msgspec.DecodeError as error:
                _LOG.warning("progress/%d rejected: %s", record.offset, error)

    def leave(self) -> None:
        """The replay is over: an event came that belongs to none of its steps."""
        self.goal = None

    def _take(self, record: TopicRecord) -> None:
        if record.key.startswith(_GOAL):
            self.goal = None if record.value is None else msgspec.json.decode(record.value, type=StepGoal)
        elif record.key == self._archive and record.value is not None:
            self.archived = msgspec.json.decode(record.value, type=Progress).offsets


def step_of(goal: StepGoal) -> str:
    """How a goal's step is named in progress."""
    return f"{goal.run}|{goal.step}"
