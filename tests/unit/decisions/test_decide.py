"""What a decision takes from the slow tier, and what it logs of that."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
from hypothesis import given, strategies as st

from fraudbrain_shared.decisions import DecisionCore, Origin
from fraudbrain_shared.features import ContextReading, Profile, ProfileFold
from fraudbrain_shared.models import Scorer, Value
from fraudbrain_shared.records import Decision, RuleSet, Source
from tests.unit.scenario.closing import CLOSING
from tests.unit.scenario.small import parse

SCENARIO = parse(CLOSING)
CORE = DecisionCore(
    SCENARIO, RuleSet("v", SCENARIO.rules, SCENARIO.policy), Origin("a", 1, "test"), ProfileFold(SCENARIO)
)
T0 = 1_700_000_000_000
# fraud count, sum, last, seconds since; busy count
KNOWN = (2, 900, 500, 60, 3)
FIELDS = SimpleNamespace(card_id="c", terminal_id="t", amount=2_000, country=None)
EVENT: Any = SimpleNamespace(event_id="e", type="payment", event_time=T0, fields=FIELDS)


def decide(**inputs: Any) -> Decision:
    return CORE.decide(EVENT, Profile("c"), Source(1, 0, 0, T0), **inputs)


def test_without_inputs_nothing_is_known_of_entities_and_parameters_have_their_defaults() -> None:
    decision = decide()
    assert decision.context == {"terminal_id.fraud_count": 0, "terminal_id.busy_count": 0}
    assert (decision.context_clock, decision.degraded) == (None, ())
    assert decision.parameters == {"limit": 1_000, "terminal_limit": 50_000}
    assert decision.findings == ("large",)


def test_the_context_that_was_used_is_logged_with_its_clock() -> None:
    decision = decide(context=ContextReading(KNOWN, T0 - 10, 10))
    assert decision.context == {"terminal_id.fraud_count": 2, "terminal_id.busy_count": 3}
    assert (decision.context_clock, decision.degraded) == (T0 - 10, ())
    assert "risky_terminal" in decision.findings


def test_the_parameters_that_were_used_are_logged() -> None:
    decision = decide(context=ContextReading(KNOWN, T0, 0), parameters=(5_000, 1_999, 4.0, 0.5))
    assert decision.parameters == {"limit": 5_000, "terminal_limit": 1_999}
    assert decision.findings == ("risky_terminal", "over_limit")


def test_context_is_stale_for_the_most_impatient_feature_that_is_used() -> None:
    assert decide(context=ContextReading(KNOWN, T0 - 5_000, 5_000)).degraded == ()
    assert decide(context=ContextReading(KNOWN, T0 - 5_001, 5_001)).degraded == ("context_stale",)


def test_context_that_nobody_uses_is_neither_logged_nor_stale() -> None:
    scenario = parse({**CLOSING, "features.toml": CLOSING["features.toml"].replace("busy_count)", "fraud_count)")})
    rules = RuleSet("v", scenario.rules[:2], ())
    core = DecisionCore(scenario, rules, Origin("a", 1, "test"), ProfileFold(scenario))
    decision = core.decide(EVENT, Profile("c"), Source(1, 0, 0, T0), context=ContextReading(KNOWN, T0 - 6_000, 6_000))
    assert decision.context == {"terminal_id.fraud_count": 2}
    assert decision.degraded == ()


def test_readings_that_the_caller_has_are_not_read_again() -> None:
    fold, profile = ProfileFold(SCENARIO), Profile("c")
    readings = fold.read(profile, EVENT)
    assert decide(readings=readings) == decide()
    assert decide(readings=(7, *readings[1:])).features[0] == 7


class Always(Scorer):
    """A release that gives each event the same score."""

    def __init__(self, version: str, score: float) -> None:
        self._version, self._score = version, score

    @property
    def version(self) -> str:
        return self._version

    def score(self, features: Sequence[Value]) -> float:
        return self._score


@given(champion=st.none() | st.floats(0, 1), challenger=st.floats(0, 1))
def test_a_challenger_is_scored_and_changes_nothing_else(champion: float | None, challenger: float) -> None:
    first = None if champion is None else Always("m1", champion)
    alone, shadowed = decide(champion=first), decide(champion=first, challenger=Always("m2", challenger))
    assert (shadowed.scores.challenger, shadowed.versions.challenger) == (challenger, "m2")
    versions = msgspec.structs.replace(shadowed.versions, challenger=None)
    assert alone == msgspec.structs.replace(shadowed, scores=alone.scores, versions=versions)
    assert shadowed.scores.champion == champion
