"""Publishing rules: checked against the deployed scenario, and sent to the topic that all workers read."""

import os
from getpass import getuser
from typing import NamedTuple

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.controls import rules_version
from fraudbrain_shared.records import RuleSet
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.rules import check_rules
from fraudbrain_shared.topics import LIVE_RULES

_ANSWER_S = 15.0


class Sent(NamedTuple):
    """A rule set that stands on the topic `rules`; `append_ms` is the broker's, UTC."""

    version: str
    offset: int
    append_ms: int


def machine_user() -> str:
    """Who runs this, by name; by number where this machine has no name for them, as in many containers."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def rule_set(source: Scenario, *, author: str, reason: str) -> RuleSet:
    """The rules and the policy of a scenario as one record."""
    version = rules_version(source.rules, source.policy)
    return RuleSet(version, rules=source.rules, policy=source.policy, author=author, reason=reason)


def send(deployment: Deployment, rules: RuleSet) -> Sent:
    """Sends the rule set to every worker. Raises ScenarioError where it does not fit the deployed scenario."""
    check_rules(deployment.scenario, rules.rules, rules.policy)
    topic = deployment.names.topic("rules")
    try:
        offset, append_ms = kafka.send(
            deployment.stack.kafka_bootstrap, topic, LIVE_RULES, msgspec.json.encode(rules), timeout_s=_ANSWER_S
        )
    except TimeoutError as error:
        raise UserError(f"{error}.", "See `fraudbrain stack status`, then publish again.") from error
    return Sent(rules.version, offset, append_ms)


def begin(deployment: Deployment) -> Sent:
    """Publishes the scenario's own rules, from which the history of a new space begins: whatever becomes of the
    folder, they can be taken up again, and old events be decided by them."""
    scenario = deployment.scenario
    reason = f"the rules of scenario {scenario.name} {scenario.version}, with which the space was made"
    return send(deployment, rule_set(scenario, author=machine_user(), reason=reason))
