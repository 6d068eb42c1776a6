import pytest

from fraudbrain_deploy.dead_letters import Selection
from fraudbrain_shared.records import Reason
from tests.unit.dead_letters.letters import NOW_MS, letter


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), True),
        (Selection(reasons=frozenset({Reason.TOO_NEW, Reason.SCHEMA})), True),
        (Selection(reasons=frozenset({Reason.SCHEMA})), False),
        (Selection(since_ms=NOW_MS + 7), True),
        (Selection(since_ms=NOW_MS + 8), False),
        (Selection(until_ms=NOW_MS + 8), True),
        (Selection(until_ms=NOW_MS + 7), False),
        (Selection(version="r1"), True),
        (Selection(version="build 1"), True),
        (Selection(version="rules"), False),
    ],
)
def test_a_letter_is_meant_by_reason_time_and_version(selection: Selection, taken: bool) -> None:
    assert selection.takes(letter(7, b"")) is taken
