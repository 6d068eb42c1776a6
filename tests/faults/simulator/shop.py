"""A scenario as small as can be, compiled once for all seeds, and the rule sets that are published in it."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import msgspec

from fraudbrain_realtime.controls import Prepared
from fraudbrain_realtime.controls.preparation import prepared
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.admission import Admission
from fraudbrain_shared.controls import own_rules
from fraudbrain_shared.decisions import DecisionCore, Origin
from fraudbrain_shared.features import ProfileFold
from fraudbrain_shared.records import ClauseText, RuleSet, RuleText
from fraudbrain_shared.scenario import Scenario, ScenarioError
from fraudbrain_shared.scenario.parse import parse_scenario
from fraudbrain_shared.topics import LIVE_RULES

_FILES: Final = {
    "scenario.toml": 'name = "shop"\nsubject = "card"\ndescription = "For the simulator"\n',
    "events.toml": """
[payment]
decide = true
deadline = "50ms"
safe_default = [{ outcome = "review" }]
[payment.fields]
card = { type = "string", max_length = 8 }
amount = { type = "int", min = 0, max = 1_000_000 }

[sign_in.fields]
card = { type = "string", max_length = 8 }
""",
    "features.toml": """
[profile.spent]
on = "payment"
value = "event.amount"
read = ["count", "sum"]
window = "1h"
hop = "1m"

[profile.before]
on = "payment"
value = "event.amount"
read = ["last"]
last = 3

[profile.sign_ins]
on = "sign_in"
read = ["count"]
window = "1h"
hop = "1m"
""",
    "rules.toml": """
[[rule]]
name = "much"
description = "Much was spent"
when = "profile.spent_sum + event.amount > 3000"

[[rule]]
name = "again"
description = "The same amount again"
when = "event.amount == profile.before_last"
""",
    "policy.toml": """
[[outcome]]
name = "decline"
when = "finding.much"
""",
}

SCENARIO: Final[Scenario] = parse_scenario({name: text.encode() for name, text in _FILES.items()})
FOLD: Final = ProfileFold(SCENARIO)
ADMISSION: Final = Admission(SCENARIO)
ORIGIN: Final = Origin(group="a", generation=1, build="simulator")
OWN_RULES: Final = own_rules(SCENARIO)


def _rules(version: str, limit: int, field: str = "sum") -> RuleSet:
    much = RuleText("much", f"profile.spent_{field} + event.amount > {limit}")
    return RuleSet(version, (much,), (ClauseText("decline", "finding.much"),))


PUBLISHED: Final = (_rules("v1", 2_000), _rules("v2", 1_000), _rules("unfit", 500, field="sun"), None, _rules("v3", 1))
"""What may be published, in this order: one of them does not fit the scenario, one takes the others back."""
FIT: Final = tuple(each is None or each.version != "unfit" for each in PUBLISHED)


def core_of(rule_set: RuleSet) -> DecisionCore:
    """The core of a rule set. Raises ScenarioError where it does not fit."""
    return _raised_or_made(_core_of(rule_set))


@cache
def _core_of(rule_set: RuleSet) -> DecisionCore | ScenarioError:
    return _made(SCENARIO, rule_set)


def _made(scenario: Scenario, rule_set: RuleSet) -> DecisionCore | ScenarioError:
    try:
        return DecisionCore(scenario, rule_set, ORIGIN, FOLD)
    except ScenarioError as error:
        return error


def _raised_or_made(made: DecisionCore | ScenarioError) -> DecisionCore:
    if isinstance(made, ScenarioError):
        raise made
    return made


def rules_acting_at(append_time: int, topic: list[ControlRecord]) -> RuleSet:
    """The rules for an event of that append time, said the slow way: the newest fit record at least 2 s older."""
    acting = OWN_RULES
    for record in topic:
        if FIT[record.offset] and record.append_time + 2_000 <= append_time:
            acting = PUBLISHED[record.offset] or OWN_RULES
    return acting


class PreparedBefore:
    """A `Preparation` that does each record's work once in a lifetime: to do it anew for each run would take longer
    than all else."""

    def __init__(self) -> None:
        self._ended: list[Prepared] = []

    def submit(self, record: ControlRecord) -> None:
        self._ended.append(_prepared(record.offset)._replace(record=record))

    def results(self, wait_s: float = 0.0) -> Sequence[Prepared]:
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        pass


@cache
def _prepared(offset: int) -> Prepared:
    return prepared(ControlRecord("rules", offset, LIVE_RULES, msgspec.json.encode(PUBLISHED[offset])), SCENARIO)
