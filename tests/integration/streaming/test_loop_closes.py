"""The slow loop on the real broker, store and engine: labels become context and a moved parameter, step by step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.tiers import Tier, check_alive, start_streaming, wait_ready
from fraudbrain_shared.records import (
    CLOCK_HEADER,
    STEP_HEADER,
    ContextState,
    Decision,
    Label,
    Labelled,
    ParameterValue,
    Progress,
    Source,
    StepGoal,
    Versions,
)

pytestmark = pytest.mark.timeout(240)

DAY = 86_400_000
T0 = 20_600 * DAY
LOOP = b"streaming|loop"
WAIT_S = 60.0


@contextmanager
def running(deployment: Deployment) -> Iterator[Tier]:
    tier = start_streaming(deployment)
    try:
        wait_ready(deployment, [tier], 120)
        yield tier
    finally:
        tier.stop()


def newest(deployment: Deployment, topic: str) -> dict[bytes, bytes]:
    found = kafka.read_all(deployment.stack.kafka_bootstrap, deployment.names.topic(topic))
    return {message.key() or b"": message.value() or b"" for message in found}


def reach(deployment: Deployment, tier: Tier, step: int, clock: int) -> Progress:
    """Give the goal and wait until the loop has reached it."""
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    ends = {
        topic: {str(number): end for number, end in kafka.end_offsets(bootstrap, names.topic(topic)).items()}
        for topic in ("events", "decisions", "labels")
    }
    producer = kafka.producer(bootstrap)
    producer.produce(names.topic("progress"), msgspec.json.encode(StepGoal("r", step, clock, ends)), "goal|r")
    producer.flush(10)
    deadline = time.monotonic() + WAIT_S
    while True:
        check_alive([tier])
        told = newest(deployment, "progress").get(LOOP)
        progress = msgspec.json.decode(told, type=Progress) if told else None
        if progress is not None and progress.step == f"r|{step}":
            return progress
        assert time.monotonic() < deadline, tier.log.read_text()[-3000:]
        time.sleep(0.2)


def send_frauds(deployment: Deployment) -> None:
    """Six payments at one terminal on the first day, all of them frauds; labels come before decisions."""
    names = deployment.names
    producer = kafka.producer(deployment.stack.kafka_bootstrap)
    headers: list[tuple[str, str | bytes | None]] = [(STEP_HEADER, "r|0"), (CLOCK_HEADER, str(T0))]
    for number in range(6):
        label = Label(f"e{number}", "card", True, T0 + 3_600_000 + number, "bank")
        producer.produce(names.topic("labels"), msgspec.json.encode(label), label.event_id)
    producer.flush(10)
    time.sleep(2)
    for number in range(6):
        fields = {"card_id": "card", "terminal_id": "till-1", "amount": 700}
        event = {"event_id": f"e{number}", "type": "payment", "event_time": T0 + number, "fields": fields}
        producer.produce(names.topic("events"), msgspec.json.encode(event), "card", partition=1, headers=headers)
        decision = Decision(
            event_id=f"e{number}",
            type="payment",
            subject="card",
            event_time=T0 + number,
            source=Source(1, 1, number, T0),
            outcome="approve",
            versions=Versions("s", "r", "b"),
            group="a",
            generation=1,
            feature_set="f",
            features=(),
            entities={"terminal_id": "till-1"},
        )
        producer.produce(names.topic("decisions"), msgspec.json.encode(decision), "card", partition=1)
    producer.flush(10)


def test_late_labels_move_a_terminals_limit_also_through_a_restart(deployment: Deployment) -> None:
    with running(deployment) as tier:
        reach(deployment, tier, 0, T0)
        send_frauds(deployment)
        progress = reach(deployment, tier, 1, T0 + DAY)
        assert progress.counts["waiting_labels"] == 0
        labelled = {
            key: msgspec.json.decode(value, type=Labelled) for key, value in newest(deployment, "labelled").items()
        }
        assert sorted(labelled) == [b"e%d" % number for number in range(6)]
        assert all(each.event.fields["terminal_id"] == "till-1" for each in labelled.values())
        context = newest(deployment, "context")
        assert sorted(context) == [b"_clock|context", b"terminal|till-1"]
        assert msgspec.json.decode(context[b"_clock|context"])["event_time"] == T0 + DAY
        assert len(msgspec.json.decode(context[b"terminal|till-1"], type=ContextState).states) == 3
        moved = newest(deployment, "parameters")
        first = msgspec.json.decode(moved[b"value|terminal_amount_limit|till-1"], type=ParameterValue)
        assert (first.tick, first.cause, first.evidence["frauds"]) == (T0 + DAY, "rate", 6)
        assert first.value < first.previous == 100_000
    with running(deployment) as tier:
        reach(deployment, tier, 2, T0 + 2 * DAY)
        second = msgspec.json.decode(
            newest(deployment, "parameters")[b"value|terminal_amount_limit|till-1"], type=ParameterValue
        )
        assert (second.tick, second.previous) == (T0 + 2 * DAY, first.value)
        assert newest(deployment, "context")[b"terminal|till-1"] == context[b"terminal|till-1"]
        assert "Traceback" not in tier.log.read_text()
