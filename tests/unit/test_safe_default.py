"""The safe default is the first that holds for the amount."""

import msgspec
import pytest

from fraudbrain_shared.admission import Admission, AdmittedEvent, Rejected
from fraudbrain_shared.safe_default import safe_defaults
from fraudbrain_shared.scenario import Scenario
from tests.unit.scenario.small import SMALL, changed, parse


def payment(scenario: Scenario, amount: int) -> AdmittedEvent:
    fields = {"card_id": "c1", "terminal_id": "t1", "amount": amount}
    event = {"event_id": "e1", "type": "payment", "event_time": 1, "fields": fields}
    admitted = Admission(scenario).admit(msgspec.json.encode(event), b"c1", 1)
    assert not isinstance(admitted, Rejected)
    return admitted


@pytest.mark.parametrize(
    ("amount", "outcome"), [(0, "approve"), (5_000, "approve"), (5_001, "review"), (1_000_000, "review")]
)
def test_the_first_whose_bound_the_amount_does_not_exceed(amount: int, outcome: str) -> None:
    scenario = parse(SMALL)
    assert safe_defaults(scenario)(payment(scenario, amount)) == outcome


def test_an_amount_that_cannot_be_computed_exceeds_every_bound() -> None:
    scenario = parse(changed("scenario.toml", 'amount = "event.amount"', 'amount = "100 / event.amount"'))
    assert safe_defaults(scenario)(payment(scenario, 0)) == "review"
    assert safe_defaults(scenario)(payment(scenario, 1)) == "approve"


def test_without_bounds_no_amount_is_needed() -> None:
    bounded = 'safe_default = [{ up_to = 5_000, outcome = "approve" }, { outcome = "review" }]'
    files = changed("events.toml", bounded, 'safe_default = [{ outcome = "decline" }]')
    money = '[money]\namount = "event.amount"\nreview_cost = 300\nmargin = 0.02\n'
    files = dict(files) | {"scenario.toml": files["scenario.toml"].replace(money, "")}
    scenario = parse(files)
    assert safe_defaults(scenario)(payment(scenario, 9)) == "decline"
