"""Publishing rules: checked, sent to the topic that all workers read, and confirmed by each of them."""

import time
from hashlib import sha256

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_shared.records import RuleSet
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.rules import check_rules

ANSWER_S = 15.0
FRESH_MS = 3_000  # every worker tells its progress each second


def rule_set(source: Scenario, version: str | None, *, author: str, reason: str) -> RuleSet:
    """The rules and the policy of a scenario as one record; without a version their hash names it."""
    content = msgspec.json.encode((source.rules, source.policy))
    return RuleSet(
        version=version or f"rules-{sha256(content).hexdigest()[:12]}",
        rules=source.rules,
        policy=source.policy,
        author=author,
        reason=reason,
    )


def publish(deployment: Deployment, rules: RuleSet) -> None:
    """Sends the rule set to every worker. Raises ScenarioError where it does not fit the deployed scenario."""
    check_rules(deployment.scenario, rules.rules, rules.policy)
    producer = kafka.producer(deployment.stack.kafka_bootstrap)
    producer.produce(deployment.names.topic("rules"), msgspec.json.encode(rules), b"live")
    if producer.flush(ANSWER_S):
        raise UserError("The broker did not take the rules.", "See `fraudbrain stack status`, then publish again.")


def wait_live(deployment: Deployment, version: str) -> dict[str, bool]:
    """Which workers, of those that run, decide by these rules now; waits until all do, or 15 s.

    A worker runs if it told its progress within the last seconds.
    """
    heard: dict[str, tuple[int, bool]] = {}
    deadline = time.monotonic() + ANSWER_S
    settled = time.monotonic() + FRESH_MS / 1000
    with ProgressReader(deployment) as progress:
        while (now := time.monotonic()) < deadline:
            for key, record, append_ms in progress.poll(0.5):
                if record.tier == "realtime":
                    heard[key] = (append_ms, record.versions.get("rules") == version)
            running = _running(heard)
            if now > settled and all(running.values()):
                break
    return _running(heard)


def _running(heard: dict[str, tuple[int, bool]]) -> dict[str, bool]:
    oldest_ms = time.time() * 1000 - FRESH_MS
    return {worker: live for worker, (append_ms, live) in heard.items() if append_ms >= oldest_ms}
