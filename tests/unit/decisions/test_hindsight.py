"""A decision made again from its own log is the same; made without what had moved, it is what it would have been."""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.controls import start_of
from fraudbrain_shared.decisions import DecisionCore, Origin
from fraudbrain_shared.decisions.hindsight import Hindsight
from fraudbrain_shared.features import ContextReading, Profile, ProfileFold
from fraudbrain_shared.models import Scorer, Value
from fraudbrain_shared.records import Decision, RuleSet, Source
from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.scenario.event_types import decoder
from fraudbrain_shared.scenario.scope import context_reads

CARDS = load_scenario("cards")
RULES = RuleSet("v", CARDS.rules, CARDS.policy)
FOLD = ProfileFold(CARDS)
CORE = DecisionCore(CARDS, RULES, Origin("a", 1, "test"), FOLD)
STARTING = {"m1": {"review_score": 0.4, "decline_score": 0.8}}
STARTS = [start_of(each, "m1", STARTING["m1"]).value for each in CARDS.parameters.values()]
DECODE = decoder(CARDS).decode
T0 = 1_700_000_000_000


class Fixed(Scorer):
    def __init__(self, score: float) -> None:
        self._score = score

    @property
    def version(self) -> str:
        return "m1"

    def score(self, features: Sequence[Value]) -> float:
        return self._score


def payment(number: int, amount: int) -> AdmittedEvent:
    fields = {"card_id": "c", "terminal_id": "t", "amount": amount}
    event = {"event_id": f"e{number}", "type": "payment", "event_time": T0 + number * 3_600_000, "fields": fields}
    found: AdmittedEvent = DECODE(msgspec.json.encode(event))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_each_decision_is_reproduced_and_undone_from_its_log(seed: int) -> None:
    chance = Random(seed)
    hindsight = Hindsight(CARDS, RULES, STARTING)
    profile = Profile("c")
    reads = context_reads(CARDS, CARDS.event_types["payment"])
    for number in range(40):
        event = payment(number, int(10 ** chance.uniform(2, 5.5)))
        known = tuple(
            chance.choice([None, 0, 1, 5]) if "seconds" in each.read else chance.randint(0, 9) for each in reads
        )
        context = ContextReading(known, T0, 0)
        moved = [value / 2 if isinstance(value, float) else max(1, value // 3) for value in STARTS]
        parameters = chance.choice([moved, STARTS])
        champion = chance.choice([None, Fixed(chance.random())])
        if champion is None:
            parameters = [start_of(each).value for each in CARDS.parameters.values()]

        def decide(
            parameters: Sequence[float] | None,
            champion: Scorer | None,
            event: AdmittedEvent = event,
            context: ContextReading = context,
        ) -> Decision:
            return CORE.decide(
                event, profile, Source(1, 0, 0, T0), context=context, parameters=parameters, champion=champion
            )

        made = decide(parameters, champion)
        logged = msgspec.json.decode(msgspec.json.encode(made), type=Decision)
        starts = parameters if champion is None else STARTS
        assert hindsight.outcome(event, logged) == made.outcome
        assert hindsight.outcome(event, logged, moved=False) == decide(starts, champion).outcome
        assert hindsight.outcome(event, logged, scored=False) == decide(parameters, None).outcome
        assert hindsight.is_moved(logged) == (parameters is moved)
        FOLD.fold(profile, event)
