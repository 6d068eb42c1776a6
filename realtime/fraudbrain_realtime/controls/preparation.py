"""Where rule sets and models are checked and compiled, as a port: somewhere else, without anybody waiting for it."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from fraudbrain_realtime.controls.prepare import prepare
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.scenario import Scenario


class Prepared(NamedTuple):
    """What became of a record: bytes to open (see `prepare`), or the cause of its rejection."""

    record: ControlRecord
    made: bytes | None
    cause: str = ""


class Preparation(Protocol):
    """Takes records that have a value. Each ends, prepared or rejected, in the order of their submission."""

    def submit(self, record: ControlRecord) -> None:
        """Asks for a record to be prepared. Returns at once."""

    def results(self, wait_s: float = 0.0) -> Sequence[Prepared]:
        """What has ended since; waits no longer than that for the first."""

    def close(self) -> None:
        """Ends whatever was started for it."""


class PreparationHere:
    """Prepares in this process, at once: for tests, and for whoever has nothing else to do meanwhile."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._ended: deque[Prepared] = deque()

    def submit(self, record: ControlRecord) -> None:
        self._ended.append(prepared(record, self._scenario))

    def results(self, wait_s: float = 0.0) -> Sequence[Prepared]:
        ended, self._ended = self._ended, deque()
        return ended

    def close(self) -> None:
        pass


def prepared(record: ControlRecord, scenario: Scenario) -> Prepared:
    """What becomes of a record. Never raises: whatever the check of a record raises is the record's fault."""
    try:
        return Prepared(record, prepare(record.topic, record.value or b"", scenario))
    except Exception as error:
        return Prepared(record, None, cause_of(error))


LONGEST_CAUSE = 1_000


def cause_of(error: Exception) -> str:
    """What is wrong, for people, in no more words than a progress record should have."""
    said = str(error) or type(error).__name__
    return said if len(said) <= LONGEST_CAUSE else f"{said[:LONGEST_CAUSE]} …"
