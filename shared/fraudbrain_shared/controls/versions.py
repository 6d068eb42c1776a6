"""What rules and scenarios are called by: hashes of what they hold."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from fraudbrain_shared.records import ClauseText, RuleSet, RuleText
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.parse import version_of

HOT_FILES: Final = ("policy.toml", "rules.toml")
"""The files of a scenario's folder that change by topic, without a release."""


def rules_version(rules: Sequence[RuleText], policy: Sequence[ClauseText]) -> str:
    """The version of a rule set: the same rules and policy have the same, wherever they came from."""
    return f"rules-{sha256(msgspec.json.encode((rules, policy))).hexdigest()[:12]}"


def scenario_release(files: Mapping[str, bytes]) -> str:
    """The version of a scenario's files by name but for rules and policy: it changes by a release only."""
    return version_of({name: text for name, text in files.items() if name not in HOT_FILES})


def own_rules(scenario: Scenario) -> RuleSet:
    """The rule set that stands in a scenario's folder: live until another is published."""
    version = rules_version(scenario.rules, scenario.policy)
    return RuleSet(version=version, rules=scenario.rules, policy=scenario.policy)
