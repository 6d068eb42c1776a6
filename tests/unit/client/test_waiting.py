"""Request threads and those that hear of decisions meet: nobody waits for what has come."""

import threading
import time

from fraudbrain_client.waiting import Identity, Waiting
from fraudbrain_shared.records import Decision, Outcome, Source, Versions

FIRST = Identity("card-1", "e1")
LONG_S = 60.0


def decision(identity: Identity = FIRST, outcome: Outcome = "approve") -> Decision:
    return Decision(
        event_id=identity.event_id,
        type="payment",
        subject=identity.subject,
        event_time=1,
        source=Source(1, 0, 0, 1),
        outcome=outcome,
        versions=Versions("s", "r", "b"),
        group="a",
        generation=1,
        feature_set="f",
        features=(),
    )


def later_s(seconds: float) -> float:
    return time.monotonic() + seconds


def test_every_thread_that_waits_for_a_decision_gets_it() -> None:
    waiting, found = Waiting(), list[Decision | None]()

    def ask() -> None:
        with waiting.for_decision(FIRST) as expected:
            found.append(expected.wait(later_s(LONG_S)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    while waiting.still_open(0.01) != [FIRST]:
        pass
    waiting.came(decision())
    for thread in threads:
        thread.join()
    assert found == [decision()] * 8


def test_the_first_decision_of_an_event_is_the_effective_one() -> None:
    waiting = Waiting()
    with waiting.for_decision(FIRST) as expected:
        waiting.came(decision(outcome="decline"))
        waiting.came(decision(outcome="approve"))
        assert expected.wait(later_s(0)) == decision(outcome="decline")


def test_what_comes_too_late_is_kept_and_changes_no_answer() -> None:
    waiting = Waiting()
    with waiting.for_decision(FIRST) as expected:
        assert expected.wait(later_s(0)) is None
    assert waiting.decision_of(FIRST) is None
    waiting.came(decision())
    assert waiting.decision_of(FIRST) == decision()
    with waiting.for_decision(FIRST) as again:
        assert again.wait(later_s(0)) == decision()


def test_decisions_of_others_are_not_ours_and_are_not_kept() -> None:
    waiting, other = Waiting(), Identity("card-2", "e1")
    with waiting.for_decision(FIRST):
        waiting.came(decision(other))
        assert (waiting.is_ours(FIRST), waiting.is_ours(other)) == (True, False)
    assert waiting.is_ours(FIRST)
    assert waiting.decision_of(other) is None


def test_no_more_is_kept_than_was_said() -> None:
    waiting = Waiting(kept=2)
    identities = [Identity("card", f"e{number}") for number in range(3)]
    for identity in identities:
        with waiting.for_decision(identity):
            waiting.came(decision(identity))
    assert [waiting.decision_of(each) is not None for each in identities] == [False, True, True]


def test_nobody_asks_for_what_has_come_or_is_waited_for_no_more() -> None:
    waiting = Waiting()
    with waiting.for_decision(FIRST):
        assert waiting.still_open(0) == [FIRST]
        waiting.came(decision())
        assert waiting.still_open(0) == []
    assert waiting.still_open(0) == []


def test_who_waits_for_an_event_that_the_broker_refuses_is_let_go() -> None:
    waiting = Waiting()
    with waiting.for_decision(FIRST) as expected:
        expected.refused()
        assert expected.wait(later_s(LONG_S)) is None
        assert expected.is_refused
