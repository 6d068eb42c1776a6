"""The fast tier goes on deciding, by rules, parameters, context and model, when all else has ended."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from fraudbrain_deploy import kafka, tiers
from fraudbrain_deploy.reconcile import reconcile
from fraudbrain_deploy.stack import down, up
from fraudbrain_offline.pipeline import run_training
from fraudbrain_shared.records import Decision, Label
from tests.unit.offline.lakes import BEGIN_MS, CARDS, history
from tests.unit.streaming.archiving import DAY_MS

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment

WHAT_MAY_END = ("mlflow", "redis")
STALE_AFTER_S = 60
BEHIND_S = 45
"""How old the first payments are: so soon after the slow tier's end its context is too old to rely on."""

COUNT = 200
FRAUDS = "terminal_id.fraud_7d_count"


@pytest.mark.timeout(300)
def test_it_decides_on_with_both_other_tiers_mlflow_and_redis_stopped(deployment: "Deployment", tmp_path: Path) -> None:
    up(deployment.stack, WHAT_MAY_END)
    fast, slow = tiers.start_realtime(deployment), tiers.start_streaming(deployment)
    try:
        tiers.wait_ready(deployment, [fast, slow], 120)
        publish_a_model(deployment, tmp_path)
        send(deployment, "before", behind_s=BEHIND_S, fraud=True)
        probe_until(deployment, "probe", lambda decision: decision.context[FRAUDS] == COUNT, behind_s=BEHIND_S)

        slow.kill()
        down(deployment.stack, WHAT_MAY_END)
        send(deployment, "after", behind_s=0)
        time.sleep(STALE_AFTER_S - BEHIND_S + 1)
        send(deployment, "later", behind_s=0)
        probe_until(deployment, "last", lambda decision: decision.event_id == "last-0")
        assert fast.alive()
    finally:
        tiers.stop_all([fast, slow])

    found = {decision.event_id: decision for decision in decisions(deployment)}
    after, later = ([found[f"{batch}-{number}"] for number in range(COUNT)] for batch in ("after", "later"))
    for decision in (*after, *later):
        assert decision.scores.champion is not None
        assert decision.context[FRAUDS] == COUNT
    assert {decision.degraded for decision in later} == {("context_stale",)}
    books = reconcile(deployment)
    assert (books.missing, books.conflicts) == (0, 0)
    assert books.decisions == books.events


def publish_a_model(deployment: "Deployment", folder: Path) -> None:
    trained = run_training(history(folder), CARDS, as_of_ms=BEGIN_MS + 45 * DAY_MS)
    producer = kafka.producer(deployment.stack.kafka_bootstrap)
    producer.produce(deployment.names.topic("models"), trained.record, b"champion")
    assert producer.flush(30) == 0


def send(deployment: "Deployment", name: str, *, behind_s: int, fraud: bool | None = None, count: int = COUNT) -> None:
    """Payments at one terminal, that happened so long ago; and what they turned out to be, if that is known."""
    now_ms = int(time.time() * 1000)
    producer = kafka.producer(deployment.stack.kafka_bootstrap)
    for number in range(count):
        event_id, card = f"{name}-{number}" if count > 1 else name, f"card-{number % 20}"
        event_time = now_ms - behind_s * 1_000 - count + number
        fields = {"card_id": card, "terminal_id": "till-1", "amount": 700}
        event = {"event_id": event_id, "type": "payment", "event_time": event_time, "fields": fields}
        producer.produce(deployment.names.topic("events"), msgspec.json.encode(event), card)
        if fraud is not None:
            label = Label(event_id, card, fraud, event_time, "bank")
            producer.produce(deployment.names.topic("labels"), msgspec.json.encode(label), event_id)
    assert producer.flush(30) == 0


def probe_until(deployment: "Deployment", name: str, holds: Callable[[Decision], bool], *, behind_s: int = 0) -> None:
    """Sends payments, one every half second, until a decision is as wanted."""
    deadline = time.monotonic() + 90
    sent = 0
    while not any(holds(decision) for decision in decisions(deployment)):
        assert time.monotonic() < deadline, f"after {sent} payments {name} no decision is as wanted"
        send(deployment, f"{name}-{sent}", behind_s=behind_s, count=1)
        sent += 1
        time.sleep(0.5)


def decisions(deployment: "Deployment") -> list[Decision]:
    topic = deployment.names.topic("decisions")
    found = kafka.read_all(deployment.stack.kafka_bootstrap, topic)
    return [msgspec.json.decode(message.value() or b"", type=Decision) for message in found]
