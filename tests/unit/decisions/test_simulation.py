"""The simulation ends each record in exactly one way, by the same steps as the fast tier."""

import msgspec
import pytest

from fraudbrain_shared.admission import Rejected
from fraudbrain_shared.decisions import Simulation, Undecided
from fraudbrain_shared.decisions.application import Ending
from fraudbrain_shared.records import ClauseText, Decision, Reason, RuleSet, RuleText
from fraudbrain_shared.scenario import ScenarioError, load_scenario

CARDS = load_scenario("cards")
T0 = 1_700_000_000_000


def payment(number: int, *, card: str = "c", amount: int = 100, at: int = 0) -> tuple[bytes, bytes, int]:
    fields = {"card_id": card, "terminal_id": "t", "amount": amount}
    event = {"event_id": f"e{number}", "type": "payment", "event_time": T0 + at, "fields": fields}
    return card.encode(), msgspec.json.encode(event), T0 + at


def features(ending: Ending) -> dict[str, float | None]:
    assert isinstance(ending, Decision)
    names = Simulation(CARDS).feature_names
    return dict(zip(names, ending.features, strict=True))


def test_a_decision_sees_all_earlier_events_of_its_subject_and_not_its_own() -> None:
    endings = list(Simulation(CARDS).run(payment(number, card="ab"[number % 2], at=number) for number in range(10)))
    assert [features(each)["spend_1d_count"] for each in endings] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_an_event_that_comes_again_is_a_duplicate_and_another_under_its_id_a_dead_letter() -> None:
    simulation = Simulation(CARDS)
    first, same, other, next_ = simulation.run(
        [payment(1), payment(1), payment(1, amount=200), payment(2, at=1)],
    )
    assert isinstance(first, Decision)
    assert same is Undecided.DUPLICATE
    assert isinstance(other, Rejected)
    assert other.reason is Reason.CONFLICT
    assert features(next_)["spend_1d_sum"] == 100


def test_what_is_no_event_is_rejected_and_changes_nothing() -> None:
    simulation = Simulation(CARDS)
    assert isinstance(simulation.take(b"c", b"{", T0), Rejected)
    assert isinstance(simulation.take(b"c", None, T0), Rejected)
    assert simulation.subjects == 0


def test_the_given_rules_decide() -> None:
    rules = RuleSet("mine", (RuleText("all", "event.amount > 0"),), (ClauseText("decline", "finding.all"),))
    ending = Simulation(CARDS, rule_set=rules).take(*payment(1))
    assert isinstance(ending, Decision)
    assert (ending.outcome, ending.findings, ending.versions.rules) == ("decline", ("all",), "mine")
    with pytest.raises(ScenarioError):
        Simulation(CARDS, rule_set=RuleSet("bad", (RuleText("all", "event.nothing > 0"),), ()))
