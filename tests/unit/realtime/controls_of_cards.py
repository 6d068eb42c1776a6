"""Controls of the scenario `cards`, and records for them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from fraudbrain_realtime.controls import Controls, Preparation, PreparationHere, Prepared
from fraudbrain_realtime.ports import ControlRecord, Message
from fraudbrain_shared.admission import Admission, Rejected
from fraudbrain_shared.controls import own_rules
from fraudbrain_shared.decisions import DecisionCore, Origin
from fraudbrain_shared.features import Profile, ProfileFold
from fraudbrain_shared.models import seal
from fraudbrain_shared.records import (
    ClauseText,
    Decision,
    ModelRelease,
    ParameterHold,
    ParameterValue,
    RuleSet,
    RuleText,
    Source,
)
from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.scenario.feature_set import feature_names
from fraudbrain_shared.topics import hold_key, value_key
from tests.unit.models.boosted import boosted
from tests.unit.models.releases import release_of

T0 = 1_700_000_000_000
DAY = 86_400_000
CARDS = load_scenario("cards")
NAMES = feature_names(CARDS)
OWN = own_rules(CARDS)


@cache
def own_core() -> DecisionCore:
    return DecisionCore(CARDS, OWN, Origin("a", 1, "test"), ProfileFold(CARDS))


def controls(preparation: Preparation | None = None, **settings: Any) -> Controls:
    return Controls(CARDS, lambda _: own_core(), preparation, **settings)


class Later:
    """Prepares when it is told to."""

    def __init__(self) -> None:
        self._here = PreparationHere(CARDS)
        self._submitted: list[ControlRecord] = []

    def submit(self, record: ControlRecord) -> None:
        self._submitted.append(record)

    def go_on(self) -> None:
        for each in self._submitted:
            self._here.submit(each)
        self._submitted = []

    def results(self, wait_s: float = 0.0) -> Sequence[Prepared]:
        return self._here.results(wait_s)

    def close(self) -> None:
        pass


def decide(
    controls: Controls, append_time: int, *, time: int = T0, step: str = "", terminal: str = "t1", amount: int = 1_000
) -> Decision:
    """The decision on a payment that was appended then."""
    fields = {"card_id": "c1", "terminal_id": terminal, "amount": amount}
    value = msgspec.json.encode({"event_id": "e", "type": "payment", "event_time": time, "fields": fields})
    event = Admission(CARDS).admit(value, b"c1", append_time)
    assert not isinstance(event, Rejected), event
    message = Message(0, 0, append_time, b"c1", value, step, T0 if step else None)
    return controls.decide(event, Profile("c1"), Source(1, 0, 0, append_time), message)


def rules(version: str, when: str = "event.amount > param.large_amount_limit") -> RuleSet:
    """A rule that reads a parameter, and a policy that reads two thresholds on the score."""
    clauses = (
        ClauseText("decline", "score >= param.decline_score || finding.some"),
        ClauseText("review", "score >= param.review_score"),
    )
    return RuleSet(version, (RuleText("some", when),), clauses)


def rules_record(version: str, append_time: int = T0, offset: int = 0, **changes: Any) -> ControlRecord:
    return ControlRecord("rules", offset, b"live", msgspec.json.encode(rules(version, **changes)), append_time)


@cache
def _release() -> ModelRelease:
    made = release_of(boosted(1, rounds=3, rows=300, max_depth=3))
    new = dict(zip(made.features, NAMES, strict=False))
    histograms = {new[name]: each for name, each in made.histograms.items()}
    return msgspec.structs.replace(made, features=tuple(new.values()), histograms=histograms)


def release(version: str = "m1", **starting: float) -> ModelRelease:
    return msgspec.structs.replace(_release(), version=version, starting_values=starting)


def model_record(
    version: str, append_time: int = T0, offset: int = 0, key: bytes = b"champion", **starting: float
) -> ControlRecord:
    return ControlRecord("models", offset, key, seal(release(version, **starting)), append_time)


def hold(name: str, value: float | None, id_: str = "", action: Any = "pin") -> ParameterHold:
    return ParameterHold(name, id_, action, "ada", "a fair", value)


def hold_record(name: str, value: float | None, append_time: int = T0, offset: int = 0, id_: str = "") -> ControlRecord:
    return ControlRecord(
        "parameters", offset, hold_key(name, id_), msgspec.json.encode(hold(name, value, id_)), append_time
    )


def amount_limit(value: int, id_: str = "t1", *, tick: int = T0 - DAY, previous: int = 100_000) -> ParameterValue:
    """What the governor says of one terminal's limit."""
    return ParameterValue("terminal_amount_limit", id_, value, previous, tick, tick + 7 * DAY, "rate", {"count": 50})


def value_record(value: ParameterValue, append_time: int = T0, offset: int = 0) -> ControlRecord:
    return ControlRecord("parameters", offset, value_key(value.name, value.id), msgspec.json.encode(value), append_time)
