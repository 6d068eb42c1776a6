from fraudbrain_deploy.demo_payments import Wave
from fraudbrain_deploy.demo_report import answer
from fraudbrain_deploy.replaying.controls_log import Move
from fraudbrain_deploy.replaying.hindsight import Reviewed
from fraudbrain_shared.records import Decision, Outcome, ParameterValue, Source, Versions

ATTACK = Wave(frozenset({"a1", "a2", "a3"}), frozenset({"t1"}))


def decided(
    event_id: str, at_ms: int, limit: float, outcome: Outcome = "approve", before: Outcome = "approve"
) -> Reviewed:
    decision = Decision(
        event_id=event_id,
        type="payment",
        subject="c",
        event_time=at_ms,
        source=Source(1, 0, 0, at_ms),
        outcome=outcome,
        versions=Versions("s", "r", "b"),
        group="a",
        generation=1,
        feature_set="f",
        features=(),
        entities={"terminal_id": "t1"},
        parameters={"limit": limit},
    )
    return Reviewed(decision, at_ms + 1, outcome, before, outcome)


def moved(value: float, append_ms: int, terminal: str = "t1") -> Move:
    return Move(ParameterValue("limit", terminal, value, 5.0, 1, 2, "surge"), append_ms)


def test_an_attack_is_answered_when_published_when_used_and_when_it_changed_a_decision() -> None:
    hit = [
        decided("before", 500, 2.0, "review", "approve"),  # not of the attack
        decided("a1", 1_000, 5.0),
        decided("other", 9_000, 2.0),  # somebody else's, but at its terminal
        decided("a2", 10_000, 2.0, "review", "review"),
        decided("a3", 11_000, 2.0, "review", "approve"),
    ]
    moves = [moved(2.0, 100), moved(3.0, 2_000, "elsewhere"), moved(2.0, 8_000)]
    found = answer(hit, [], moves, ATTACK)
    assert (found.payments, found.stopped) == (3, 2)
    assert (found.published_s, found.used_s, found.changed_s) == (7.0, 8.001, 10.001)


def test_what_did_not_happen_has_no_time() -> None:
    found = answer([decided("a1", 1_000, 5.0)], [decided("r1", 1_000, 5.0, "review")], [], ATTACK)
    assert (found.published_s, found.used_s, found.changed_s) == (None, None, None)
    assert (found.rush_payments, found.rush_stopped) == (1, 1)
