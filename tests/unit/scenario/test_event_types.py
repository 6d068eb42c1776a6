import gc
import json

import msgspec
import pytest

from fraudbrain_shared.admission import Admission, Rejected
from fraudbrain_shared.scenario.event_types import decoder
from tests.unit.scenario.small import SMALL, parse

DECODER = decoder(parse(SMALL))
FIELDS = {"card_id": "c1", "terminal_id": "t1", "amount": 500}


def payment(**changes: object) -> bytes:
    event = {"event_id": "e1", "type": "payment", "event_time": 1_000, "fields": FIELDS, **changes}
    return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()


def with_fields(**changes: object) -> bytes:
    fields = {**FIELDS, **changes}
    return payment(fields={name: value for name, value in fields.items() if value is not ...})


def test_an_event_is_decoded_into_its_own_type() -> None:
    event = DECODER.decode(payment())
    assert (event.type, event.event_id, event.event_time) == ("payment", "e1", 1_000)
    assert (event.fields.card_id, event.fields.amount, event.fields.country) == ("c1", 500, None)
    login = DECODER.decode(payment(type="login", fields={"card_id": "c1", "ok": True, "risk": 1}))
    assert (login.type, login.fields.ok, login.fields.risk) == ("login", True, 1.0)


def test_undeclared_fields_are_ignored() -> None:
    assert DECODER.decode(with_fields(colour="red")) == DECODER.decode(payment())


@pytest.mark.parametrize(
    "event",
    [with_fields(amount=0), with_fields(amount=1_000_000), with_fields(card_id="x" * 8), with_fields(country=None)],
)
def test_what_is_within_the_bounds_is_taken(event: bytes) -> None:
    assert DECODER.decode(event).type == "payment"


@pytest.mark.parametrize(
    "event",
    [
        with_fields(amount=-1),
        with_fields(amount=1_000_001),
        with_fields(amount=2**63),
        with_fields(amount=1.5),
        with_fields(amount="5"),
        with_fields(amount=True),
        with_fields(amount=None),
        with_fields(amount=...),
        with_fields(card_id="x" * 9),
        with_fields(card_id=""),
        with_fields(terminal_id="x" * 257),
        with_fields(country="ESP"),
        payment(type="refund"),
        payment(type=...),
        payment(type=""),
        payment(type="", declared_type="payment"),
        payment(event_id=""),
        payment(event_id="x" * 129),
        payment(event_time=-1),
        payment(event_time=253_402_300_800_000),
        payment(event_time=1.5),
        payment(fields=...),
        payment(type="login", fields={"card_id": "c1", "ok": True, "risk": 1.01}),
        payment(type="login", fields={"card_id": "c1", "ok": 1, "risk": 0.5}),
        b"[]",
    ],
)
def test_what_breaks_the_description_is_refused(event: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        DECODER.decode(event)


def test_events_are_nothing_to_the_garbage_collector() -> None:
    event = DECODER.decode(payment())
    assert not gc.is_tracked(event)
    assert not gc.is_tracked(event.fields)


def test_a_type_that_stands_alone_must_be_named_too() -> None:
    events = SMALL["events.toml"].partition("[login]")[0]
    small = {"scenario.toml": SMALL["scenario.toml"], "events.toml": events}
    alone = decoder(parse(small))
    assert alone.decode(payment()).type == "payment"
    with pytest.raises(msgspec.ValidationError, match="type"):
        alone.decode(payment(type=...))


TYPED = """\
[order]
decide = true
deadline = "50ms"
safe_default = [{ outcome = "review" }]
[order.fields]
card_id = { type = "string" }
made = { type = "timestamp", min = "2020-01-01T00:00:00Z", max = "2020-01-02T00:00:00+01:00" }
waited = { type = "duration", max = "1h" }
entry = { type = "enum", values = ["chip", "online"], optional = true }
codes = { type = "strings", max_items = 2, max_length = 3 }
"""
TYPED_DECODER = decoder(parse({"scenario.toml": 'name = "typed"\nsubject = "card_id"\n', "events.toml": TYPED}))
ORDER = {"card_id": "c1", "made": 1_577_836_800_000, "waited": 3_600_000, "entry": "chip", "codes": ["a", "bcd"]}


def order(**changes: object) -> bytes:
    return payment(type="order", fields={**ORDER, **changes})


def test_times_words_and_lists_are_decoded_into_what_expressions_read() -> None:
    fields = TYPED_DECODER.decode(order()).fields
    assert (fields.made, fields.waited, fields.entry, fields.codes) == (
        1_577_836_800_000,
        3_600_000,
        "chip",
        ("a", "bcd"),
    )
    assert TYPED_DECODER.decode(order(entry=None, codes=[])).fields.codes == ()
    assert TYPED_DECODER.decode(order(made=1_577_919_600_000)).type == "order"
    assert not gc.is_tracked(fields)


@pytest.mark.parametrize(
    "event",
    [
        order(made=1_577_836_799_999),
        order(made=1_577_919_600_001),
        order(made="2020-01-01T00:00:00Z"),
        order(waited=3_600_001),
        order(waited=1.5),
        order(entry="swipe"),
        order(entry=""),
        order(codes=["a", "b", "c"]),
        order(codes=["abcd"]),
        order(codes=[1]),
        order(codes="a"),
        order(codes=None),
    ],
)
def test_what_breaks_a_typed_field_is_refused(event: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        TYPED_DECODER.decode(event)


def test_every_refusal_says_which_field_and_no_value() -> None:
    scenario = parse({"scenario.toml": 'name = "typed"\nsubject = "card_id"\n', "events.toml": TYPED})
    for event in (order(entry="secret"), order(codes=["secret"]), order(made=5)):
        rejected = Admission(scenario).admit(event, b"c1", 2_000)
        assert isinstance(rejected, Rejected)
        assert "$.fields." in rejected.detail
        assert "secret" not in rejected.detail


@pytest.mark.parametrize("event", [with_fields(colour="red"), payment(colour="red")])
def test_what_is_no_text_is_refused_in_undeclared_fields_too(event: bytes) -> None:
    admission = Admission(parse(SMALL))
    assert not isinstance(admission.admit(event.replace(b"red", "rød".encode()), b"c1", 1_000), Rejected)
    for spoilt in (event.replace(b"red", b"r\xffd"), event.replace(b"colour", b"c\xff")):
        rejected = admission.admit(spoilt, b"c1", 1_000)
        assert isinstance(rejected, Rejected)
        assert rejected.reason == "framing"
