"""What is about a person is shown by its end at most, and what nobody can judge not at all."""

import json
from dataclasses import replace

from fraudbrain_shared.masking import MASK, Mask, masked
from fraudbrain_shared.records import Decision, Source, Versions
from fraudbrain_shared.scenario import load_scenario

CARDS, RIDES = load_scenario("cards"), load_scenario("rides")
CARD = "4526018159083012"


def test_of_a_long_value_the_end_is_shown_and_of_a_short_one_nothing() -> None:
    assert masked(CARD) == f"{MASK}3012"
    assert masked("card-123") == MASK


def test_fields_of_an_event_are_masked_by_name() -> None:
    fields = {"card_id": CARD, "terminal_id": "t1", "amount": 5, "undeclared": 1}
    shown = json.loads(Mask(CARDS).event(json.dumps({"event_id": "e", "fields": fields}).encode()))
    assert shown == {"event_id": "e", "fields": fields | {"card_id": f"{MASK}3012"}}
    place = {"latitude": 47.1, "longitude": 8.5}
    assert json.loads(Mask(RIDES).event(json.dumps({"fields": place}).encode())) == {
        "fields": dict.fromkeys(place, MASK)
    }


def test_an_event_that_is_not_archived_yet_stays_null_and_what_is_none_is_hidden() -> None:
    mask = Mask(CARDS)
    assert mask.event(b"null") == b"null"
    for other in (b"[]", b'"4526018159083012"', b'{"card_id": "4526018159083012"}', b'{"fields": []}'):
        assert json.loads(mask.event(other)) == MASK


def test_a_decisions_subject_and_entities_are_masked_where_a_field_that_names_them_is_sensitive() -> None:
    made = Decision(
        event_id="e",
        type="payment",
        subject=CARD,
        event_time=0,
        source=Source(1, 0, 0, 0),
        outcome="approve",
        versions=Versions("s", "r", "b"),
        group="a",
        generation=1,
        feature_set="f",
        features=(),
        entities={"terminal": "terminal-1234567", "rider": "rider-1234567890"},
    )
    assert Mask(CARDS).decision(made).subject == f"{MASK}3012"
    assert Mask(RIDES).decision(made).entities == {"terminal": "terminal-1234567", "rider": f"{MASK}7890"}


def test_ids_of_parameters_are_masked_where_the_field_that_they_are_kept_by_is_sensitive() -> None:
    name, parameter = next((name, each) for name, each in CARDS.parameters.items() if each.per)
    assert Mask(CARDS).parameter_id(name, "terminal-1234567") == "terminal-1234567"
    by_card = replace(CARDS, parameters={name: replace(parameter, per="card_id"), "all": replace(parameter, per=None)})
    assert Mask(by_card).parameter_id(name, CARD) == f"{MASK}3012"
    assert Mask(by_card).parameter_id("all", "") == ""
    assert Mask(by_card).parameter_id("unknown", "x") == "x"
