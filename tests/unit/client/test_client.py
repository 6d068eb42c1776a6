"""The client where there is no broker: wrong settings and events are told at once, everything else has an answer."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudbrain_client import Client, Event, NotAdmitted, NotDecided, ScenarioError, events_topic
from tests.unit.scenario.small import SMALL

NOBODY = "127.0.0.1:9"


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client("cards", bootstrap=NOBODY, start_s=0.01)
    yield client
    client.close(0)


def payment(amount: object = 1_000, *, event_id: str = "e1", ahead_ms: int = 0) -> Event:
    now_ms = time.time_ns() // 1_000_000
    fields = {"card_id": "card-1", "terminal_id": "t1", "amount": amount}
    return Event(event_id, "payment", now_ms + ahead_ms, fields)  # type: ignore[arg-type]


def test_a_broker_that_is_away_makes_the_answer_the_safe_default(client: Client) -> None:
    small, large = client.decide(payment(5_000)), client.decide(payment(5_001, event_id="e2"))
    assert [(each.outcome, each.decided, each.reason) for each in (small, large)] == [
        ("approve", False, NotDecided.NOT_ACKNOWLEDGED),
        ("review", False, NotDecided.NOT_ACKNOWLEDGED),
    ]
    assert small.decision is None
    assert client.decision_of("card-1", "e1") is None
    assert client.close(0) == 2


def test_an_event_for_which_there_is_no_room_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_topic, "_MOST_WAITING", 2)
    with Client("cards", bootstrap=NOBODY, start_s=0.01) as client:
        assert [client.tell(payment(event_id=f"e{number}")) for number in range(3)] == [True, True, False]
        answer = client.decide(payment(9_000, event_id="e3"))
        assert (answer.outcome, answer.reason) == ("review", NotDecided.NOT_SENT)
        assert client.close(0) == 4


def test_a_redis_that_is_away_as_well_makes_no_error() -> None:
    with Client("cards", bootstrap=NOBODY, redis=f"redis://{NOBODY}/0", start_s=0.01) as client:
        assert not client.decide(payment()).decided
        assert client.decision_of("card-1", "e1") is None
        client.close(0)


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        (payment("much"), r"schema: Expected `int`, got `str` - at `\$\.fields\.amount`"),
        (payment(-1), "range: .*amount"),
        (payment(event_id=""), "range: .*event_id"),
        (payment(ahead_ms=3_600_000), "too_new"),
        (Event("e1", "transfer", 1, {"card_id": "c"}), "unknown_type: type is not one of payment"),
        (Event("e1", "payment", 1, {"terminal_id": "t", "amount": 1}), "schema: .*card_id"),
        (Event("e1", "payment", 1, {"card_id": 7, "terminal_id": "t", "amount": 1}), "schema: .*card_id"),
    ],
)
def test_an_event_that_would_become_a_dead_letter_is_refused_with_what_is_wrong(
    client: Client, event: Event, cause: str
) -> None:
    with pytest.raises(NotAdmitted, match=cause):
        client.decide(event)
    with pytest.raises(NotAdmitted, match=cause):
        client.tell(event)


def test_types_that_are_only_folded_are_told(tmp_path: Path) -> None:
    for name, text in SMALL.items():
        (tmp_path / name).write_text(text)
    client = Client(str(tmp_path), bootstrap=NOBODY, start_s=0.01)
    login = Event("e1", "login", 1, {"card_id": "c1", "ok": True, "risk": 0.5})
    with pytest.raises(NotAdmitted, match="login are not decided: `tell` sends them"):
        client.decide(login)
    assert client.tell(login)
    assert client.close(0) == 1


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"bootstrap": "localhost"}, "host:port"),
        ({"bootstrap": "a:1,,b:2"}, "host:port"),
        ({"bootstrap": ""}, "host:port"),
        ({"bootstrap": NOBODY, "redis": "http://127.0.0.1"}, "redis://"),
    ],
)
def test_what_is_no_address_is_refused(settings: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        Client("cards", **settings, start_s=0.01)


def test_a_scenario_that_is_unknown_is_refused() -> None:
    with pytest.raises(ScenarioError, match="neither a built-in scenario nor a folder"):
        Client("cardz", bootstrap=NOBODY)


def test_a_closed_client_takes_nothing_more(client: Client) -> None:
    assert client.close() == 0
    assert client.close() == 0
    with pytest.raises(RuntimeError, match="closed"):
        client.decide(payment())
