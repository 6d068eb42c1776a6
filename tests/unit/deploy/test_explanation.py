"""A decision is explained with what can be had: the release that scored it is asked for only where it is told."""

from pathlib import Path

import msgspec
import pytest

from fraudbrain_deploy import explanation
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.explanation import champion_of, explain
from fraudbrain_deploy.stack import StackSettings
from fraudbrain_shared.decisions import Simulation
from fraudbrain_shared.records import Decision, Outcome, Scores
from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.topics import Names

CARDS = load_scenario("cards")


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(StackSettings(data=tmp_path), CARDS, tmp_path, Names("s"), tmp_path)


def scored(outcome: Outcome) -> Decision:
    fields = {"card_id": "c", "terminal_id": "t", "amount": 100}
    event = {"event_id": "e", "type": "payment", "event_time": 1, "fields": fields}
    decision = Simulation(CARDS).take(b"c", msgspec.json.encode(event), 1)
    assert isinstance(decision, Decision)
    versions = msgspec.structs.replace(decision.versions, model="m1")
    return msgspec.structs.replace(decision, outcome=outcome, versions=versions, scores=Scores(champion=0.25))


def test_nobody_asks_for_the_model_of_what_was_approved(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explanation, "champion_records", lambda _: pytest.fail("it was asked for"))
    assert champion_of(deployment, scored("approve")) is None


@pytest.mark.parametrize("trouble", [TimeoutError("no broker"), KeyError("no topic")])
def test_without_a_broker_a_decision_is_explained_without_its_model(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def away(_: Deployment) -> dict[str, bytes]:
        raise trouble

    monkeypatch.setattr(explanation, "champion_records", away)
    decision = scored("review")
    assert champion_of(deployment, decision) is None
    assert "The model puts the probability of fraud at 25.0%\n" in explain(CARDS, decision, None)
