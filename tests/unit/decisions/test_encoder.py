"""The bytes of decisions are those of any record, in whatever order decisions come."""

from types import SimpleNamespace
from typing import Any

import msgspec
from hypothesis import given, strategies as st

from fraudbrain_shared.decisions import DecisionCore, DecisionEncoder, Origin
from fraudbrain_shared.features import ContextReading, Profile, ProfileFold
from fraudbrain_shared.records import Decision, RuleSet, Source
from tests.unit.scenario.closing import CLOSING
from tests.unit.scenario.small import parse

SCENARIO = parse(CLOSING)
CORE = DecisionCore(
    SCENARIO, RuleSet("v", SCENARIO.rules, SCENARIO.policy), Origin("a", 1, "test"), ProfileFold(SCENARIO)
)
FIELDS = SimpleNamespace(card_id="c", terminal_id="t", amount=2_000, country=None)
EVENT: Any = SimpleNamespace(event_id="e", type="payment", event_time=1_700_000_000_000, fields=FIELDS)
VALUES = [(5_000, 1_999, 4.0, 0.5), (1_000, 2_000, 3.5, 0.9)]

parameters = st.sampled_from([*VALUES, None]) | st.tuples(*[st.integers(0, 9)] * 2, *[st.floats(0, 1)] * 2)
contexts = st.none() | st.builds(ContextReading, st.just((2, 900, 500, 60, 3)), st.integers(0, 2**40), st.integers(0))


@given(st.lists(st.tuples(parameters, contexts, st.booleans()), max_size=10))
def test_a_decision_is_encoded_as_any_record(given_: list[tuple[Any, Any, bool]]) -> None:
    encode = DecisionEncoder().encode
    for values, context, is_bare in given_:
        decision = CORE.decide(EVENT, Profile("c"), Source(1, 0, 0, 0), context=context, parameters=values)
        if is_bare:
            decision = msgspec.structs.replace(decision, parameters={}, context={}, entities={})
        made = encode(decision)
        assert made == msgspec.json.encode(decision)
        assert msgspec.json.decode(made, type=Decision) == decision
