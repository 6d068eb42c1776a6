"""The rule sets that were published: who changed the rules, when and why, and what came before what.

The topic itself is the history. It is compacted, but no record before `RULES_HISTORY_MS` have passed.
"""

from collections.abc import Sequence
from itertools import accumulate

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_shared.controls import acts_from
from fraudbrain_shared.records import RuleSet
from fraudbrain_shared.scenario import Scenario, ScenarioError
from fraudbrain_shared.scenario.rules import check_rules
from fraudbrain_shared.topics import LIVE_RULES


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A publication. It acts on events appended from `active_from_ms` on and before `active_until_ms`, UTC ms."""

    offset: int
    append_ms: int
    active_from_ms: int
    active_until_ms: int | None
    rules: RuleSet


def history(deployment: Deployment) -> list[Entry]:
    """All publications of live rules, the oldest first."""
    decode = msgspec.json.Decoder(RuleSet).decode
    found: list[tuple[int, int, RuleSet]] = []
    for message in kafka.read_all(deployment.stack.kafka_bootstrap, deployment.names.topic("rules")):
        value, offset = message.value(), message.offset()
        if message.key() == LIVE_RULES and value and offset is not None:
            try:
                found.append((offset, message.timestamp()[1], decode(value)))
            except msgspec.MsgspecError:  # every worker has refused it, so it never was in force
                continue
    return entries(found)


def entries(published: Sequence[tuple[int, int, RuleSet]]) -> list[Entry]:
    """The publications of these records: offset, append time (UTC ms) and rule set, by offset."""
    begins = list(accumulate((acts_from(append_ms) for _, append_ms, _ in published), max))
    ends = [*begins[1:], None]
    return [
        Entry(offset=offset, append_ms=append_ms, active_from_ms=begin, active_until_ms=end, rules=rules)
        for (offset, append_ms, rules), begin, end in zip(published, begins, ends, strict=False)
    ]


def fits(scenario: Scenario, rules: RuleSet) -> bool:
    """Whether a worker of this scenario takes the rule set."""
    try:
        check_rules(scenario, rules.rules, rules.policy)
    except ScenarioError:
        return False
    return True


def current(published: Sequence[Entry], scenario: Scenario) -> Entry | None:
    """The newest that fits the scenario: what the workers decide by, or will when its time has come."""
    return next((each for each in reversed(published) if fits(scenario, each.rules)), None)


def before(published: Sequence[Entry]) -> RuleSet | None:
    """What was live before the newest publication; a rollback takes back all since, so the next goes further back."""
    stack: list[RuleSet] = []
    for each in published:
        versions = [rules.version for rules in stack]
        if each.rules.is_rollback and each.rules.version in versions:
            del stack[len(versions) - versions[::-1].index(each.rules.version) :]
        else:
            stack.append(each.rules)
    return stack[-2] if len(stack) > 1 else None
