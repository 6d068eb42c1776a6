"""A worker whose control topics are gone: what it knows goes on deciding, and a new one starts with what was kept."""

import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from fraudbrain_deploy import kafka, spaces, tiers
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_realtime.controls.snapshot import SNAPSHOT
from fraudbrain_shared.records import Progress, RuleSet
from fraudbrain_shared.topics import LIVE_RULES
from tests.integration.realtime.test_worker import READY_S, committed, decisions, send, wait_for

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment

KEY = "realtime|a|w1"


def told(deployment: "Deployment") -> Progress:
    """The worker's newest word."""
    with ProgressReader(deployment) as progress:
        return [record for key, record, _ in progress.read_to_end() if key == KEY][-1]


def kept(deployment: "Deployment") -> bool:
    return (deployment.state / SNAPSHOT).exists()


def test_without_control_topics_a_worker_goes_on_and_another_starts_with_the_last_good_controls(
    deployment: "Deployment",
) -> None:
    bootstrap, rules = deployment.stack.kafka_bootstrap, deployment.names.topic("rules")
    worker = tiers.start_realtime(deployment)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        version = told(deployment).versions["rules"]
        wait_for(lambda: kept(deployment), "the controls to be kept")
        assert told(deployment).counts["controls_age_ms"] < 5_000
        kafka.delete_topics(bootstrap, [rules])
        send(deployment, 0, 200)
        wait_for(lambda: committed(deployment), "the group to commit all events")
        wait_for(lambda: told(deployment).counts["controls_age_ms"] > 15_000, "the controls to grow old", 90)
        assert worker.alive()
        worker.kill()
        worker = tiers.start_realtime(deployment)
        tiers.wait_ready(deployment, [worker], READY_S)
        send(deployment, 200, 200)
        wait_for(lambda: committed(deployment), "the group to commit all events")
        assert told(deployment).versions["rules"] == version
        spaces.create(deployment)
        wait_for(lambda: told(deployment).counts["controls_age_ms"] < 5_000, "the topics to be read again", 90)
        scenario = deployment.scenario
        new = msgspec.json.encode(RuleSet("new", scenario.rules, scenario.policy))
        kafka.send(bootstrap, rules, LIVE_RULES, new)
        wait_for(lambda: told(deployment).versions["rules"] == "new", "what is published now to be taken")
    finally:
        worker.stop()
    assert {decision.versions.rules for decision in decisions(deployment)} == {version}
    assert len(decisions(deployment)) == 400


def test_without_control_topics_and_with_controls_too_old_a_worker_does_not_start(deployment: "Deployment") -> None:
    worker = tiers.start_realtime(deployment)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        wait_for(lambda: kept(deployment), "the controls to be kept")
    finally:
        worker.stop()
    kafka.delete_topics(deployment.stack.kafka_bootstrap, [deployment.names.topic("context")])
    time.sleep(1.1)
    worker = tiers.start_realtime(deployment, options=("--snapshot-max-age-s", "1"))
    try:
        with pytest.raises(tiers.TierEnded, match=r"s old; 1 s are allowed"):
            tiers.wait_ready(deployment, [worker], READY_S)
    finally:
        worker.stop()
