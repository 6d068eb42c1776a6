"""The rules that stand in a scenario's folder."""

from fraudbrain_shared.records import RuleSet
from fraudbrain_shared.scenario.description import Scenario


def own_rules(scenario: Scenario) -> RuleSet:
    """The rule set of the scenario's own files: live until another is published."""
    return RuleSet(version=f"scenario-{scenario.version}", rules=scenario.rules, policy=scenario.policy)
