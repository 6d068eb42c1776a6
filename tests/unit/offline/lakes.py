"""A lake as the slow tier writes it, filled with made-up decisions and labels of the scenario `cards`."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from fraudbrain_shared.records import Decision, Label, Source, Versions
from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.scenario.feature_set import feature_names, feature_set
from tests.unit.streaming.archiving import APPENDED, DAY_MS, World, batch, record

CARDS = load_scenario("cards")
NAMES = feature_names(CARDS)
"""The features of `cards`, in the order in which decisions log them."""

BEGIN_MS = APPENDED - 60 * DAY_MS


def decision(event_id: str, event_time: int = BEGIN_MS, *, subject: str = "card", **changes: Any) -> bytes:
    """A decision of `cards`; named features have the given values, the others are missing."""
    values = {name: changes.pop(name) for name in NAMES if name in changes}
    made = Decision(
        event_id=event_id,
        type="payment",
        subject=subject,
        event_time=event_time,
        source=Source(1, 0, 0, event_time),
        outcome="approve",
        versions=Versions("s", "r", "b"),
        group="a",
        generation=1,
        feature_set=feature_set(NAMES),
        features=tuple(values.get(name) for name in NAMES),
    )
    return msgspec.json.encode(msgspec.structs.replace(made, **changes))


def label(event_id: str, known_at: int, *, fraud: bool, subject: str = "card") -> bytes:
    return msgspec.json.encode(Label(event_id, subject, fraud, known_at, "bank"))


def payment(event_id: str, amount: int, event_time: int = BEGIN_MS, *, subject: str = "card") -> bytes:
    """An event of `cards`."""
    fields = {"card_id": subject, "terminal_id": "t", "amount": amount}
    return msgspec.json.encode({"event_id": event_id, "type": "payment", "event_time": event_time, "fields": fields})


def fill(folder: Path, decisions: list[bytes], labels: list[bytes], events: list[bytes] | None = None) -> Path:
    """A new lake that holds these records in this order; its folder."""
    world = World(folder)
    keys = [msgspec.json.decode(value)["fields"]["card_id"].encode() for value in events or ()]
    records = [
        record("events", offset, value, key=key)
        for offset, (value, key) in enumerate(zip(events or (), keys, strict=True))
    ]
    records += [record("decisions", offset, value) for offset, value in enumerate(decisions)]
    records += [record("labels", offset, value) for offset, value in enumerate(labels)]
    world.archive().file(0, batch(records))
    return world.lake


def history(folder: Path, *, seed: int = 5, payments: int = 1_500, delay_ms: int = 7 * DAY_MS) -> Path:
    """Fifty days of payments of which large unusual ones are mostly frauds, each labelled after the delay."""
    chance = np.random.default_rng(seed)
    decisions, labels, events = [], [], []
    for at in range(payments):
        event_time = BEGIN_MS + at * (50 * DAY_MS // payments)
        subject, event_id = f"card{chance.integers(200)}", f"e{at:05}"
        usual, amount = float(chance.lognormal(3, 0.5)), float(chance.lognormal(3, 1))
        fraud = bool(amount > 2.5 * usual and chance.random() < 0.8)
        decisions.append(
            decision(event_id, event_time, subject=subject, amount=amount, amount_over_usual=amount / usual)
        )
        labels.append(label(event_id, event_time + delay_ms, fraud=fraud, subject=subject))
        events.append(payment(event_id, round(amount), event_time, subject=subject))
    return fill(folder, decisions, labels, events)
