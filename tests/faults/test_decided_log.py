"""What a log of decisions must not say, and what it says of a backlog."""

from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from fraudbrain_client import Decision
from fraudbrain_shared.records import Outcome, Source, Versions
from fraudbrain_shared.scenario import load_scenario
from tests.faults.asking import Asked, Told, check_answers, summary
from tests.faults.decided_log import DecidedLog, Rows, caught_up_ms, check_complete, check_overdue, paired, undecided_at

DEADLINE_MS = 50
PAYMENT = load_scenario("cards").event_types["payment"]


def rows(event_ms: list[int], decision_ms: list[int], overdue: list[int] | None = None) -> Rows:
    of = [np.array(each, np.int64) for each in (event_ms, decision_ms, overdue or [0] * len(event_ms))]
    return Rows(np.zeros(len(event_ms), np.int64), np.arange(len(event_ms)), of[0], of[1], of[2].astype(bool))


class Written(NamedTuple):
    """As much of a record as is looked at."""

    at: int
    content: dict[str, Any]

    def offset(self) -> int:
        return self.at

    def value(self) -> bytes:
        return msgspec.json.encode(self.content)

    def key(self) -> bytes:
        return b"card-1"

    def timestamp(self) -> tuple[int, int]:
        return 2, 1_000 + self.at


def event(offset: int) -> Any:
    return Written(offset, {"event_id": f"e{offset}", "type": "payment"})


def decision(offset: int, **changed: Any) -> Any:
    source = {"offset": offset, "append_time": 1_000 + offset}
    return Written(offset, {"event_id": f"e{offset}", "subject": "card-1", "source": source, **changed})


def pairs(events: list[Any], decisions: list[Any]) -> tuple[int, int]:
    """How many there are, and how many decisions were made again."""
    found = DecidedLog()
    return len(list(paired(iter(events), iter(decisions), 0, found))), found.repeated


def test_events_and_first_decisions_are_pairs() -> None:
    events = [event(7), event(8), event(9)]
    assert pairs(events, list(map(decision, (7, 8, 9)))) == (3, 0)
    assert pairs(events, list(map(decision, (7, 8, 7, 8, 9)))) == (3, 2)
    for wrong, why in (
        ([decision(7), decision(8)], "0/9 has no decision"),
        ([decision(7), decision(9)], "0/8 is missing or was decided after 9"),
        ([decision(7), decision(9), decision(8)], "0/8 is missing or was decided after 9"),
        ([*map(decision, (7, 8, 9, 10))], "0/10: a decision on no event"),
        ([decision(7, event_id="e8")], "0/7"),
        ([decision(7, subject="card-2")], "0/7"),
        ([decision(7, source={"offset": 7, "append_time": 1})], "0/7"),
        ([decision(7, degraded=["profile_missing"])], "0/7 is degraded"),
    ):
        with pytest.raises(AssertionError, match=why):
            pairs(events, wrong)


def test_each_event_of_a_run_must_be_there_once() -> None:
    found = rows([1, 2, 3], [1, 2, 3])
    check_complete(found, {0: 3})
    with pytest.raises(AssertionError, match="3 of 4"):
        check_complete(found, {0: 4})
    found.number[2] = 1
    with pytest.raises(AssertionError, match="3 of 3"):
        check_complete(found, {0: 3})


def test_what_was_decided_in_time_must_not_be_marked() -> None:
    check_overdue(rows([0, 0], [50, 51], [0, 1]), DEADLINE_MS)
    with pytest.raises(AssertionError, match="1 are marked"):
        check_overdue(rows([0, 0], [50, 51], [1, 1]), DEADLINE_MS)


def test_what_waited_while_all_before_it_were_answered_must_be_marked() -> None:
    count = 30_000
    late = rows([0] * count, [10] * 1_000 + [9_000] * (count - 1_000), [0] * 21_000 + [1] * 9_000)
    check_overdue(late, DEADLINE_MS)
    late.is_overdue[21_064] = False
    with pytest.raises(AssertionError, match="1 were polled after"):
        check_overdue(late, DEADLINE_MS)


def test_a_backlog_is_gone_when_nothing_has_waited_for_longer_than_allowed() -> None:
    found = rows([0, 10, 20, 30, 500, 900], [5, 300, 310, 400, 700, 910])
    assert undecided_at(found, 30) == 3
    assert caught_up_ms(found, 30, DEADLINE_MS) == 400
    assert caught_up_ms(found, 450, DEADLINE_MS) == 450
    assert caught_up_ms(found, 500, DEADLINE_MS) == 700


def decided(outcome: Outcome) -> bytes:
    versions = Versions("s", "r", "b")
    return msgspec.json.encode(
        Decision("ask-0", "payment", "asker", 1, Source(1, 0, 7, 990), outcome, versions, "a", 1, "f", (1.0,))
    )


def asked(outcome: str, decision: bytes | None, amount: int = 100) -> Asked:
    return Asked("ask-0", amount, 1_000.0, 0.05, outcome, None if decision else "late", decision)


def test_an_answer_is_the_decision_of_the_log_or_the_safe_default() -> None:
    told = {"ask-0": Told(decided("review"), 1_040)}
    check_answers([asked("review", decided("review")), asked("approve", None)], told, PAYMENT)
    check_answers([asked("review", None, amount=5_001)], told, PAYMENT)
    for wrong in (
        asked("approve", decided("approve")),
        asked("decline", decided("review")),
        asked("review", None),
        asked("approve", None, amount=5_001),
    ):
        with pytest.raises(AssertionError):
            check_answers([wrong], told, PAYMENT)
    with pytest.raises(AssertionError, match="never decided"):
        check_answers([asked("approve", None)], {}, PAYMENT)
    with pytest.raises(AssertionError):  # told before anybody had written it
        check_answers([asked("review", decided("review"))], {"ask-0": Told(decided("review"), 1_051)}, PAYMENT)


def test_a_safe_default_for_want_of_time_is_told_apart_from_one_whose_decision_was_on_its_way() -> None:
    found = summary([asked("approve", None)] * 2, {"ask-0": Told(decided("review"), 1_051)}, PAYMENT)
    assert (found["decided_after_the_deadline"], found["decided_before_it_and_on_the_way"]) == (2, 0)
    found = summary([asked("approve", None)], {"ask-0": Told(decided("review"), 1_041)}, PAYMENT)
    assert (found["decided_before_it_and_on_the_way"], found["by_at_most_ms"]) == (1, 9)
