"""A real worker on the real broker and store: kill -9, a clean stop, a takeover, a topic made anew."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest

from fraudbrain_deploy import kafka, spaces, tiers
from fraudbrain_deploy.reconcile import reconcile
from fraudbrain_shared.records import Decision

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment

T0 = int(time.time() * 1000) - 86_400_000
READY_S = 60
PATIENT = ("--load-timeout-s", "10")  # on a busy machine: what is decided without its profile is another test's


def send(deployment: "Deployment", first: int, count: int, *, amount: int = 1_000) -> None:
    producer = kafka.producer(deployment.stack.kafka_bootstrap)
    for number in range(first, first + count):
        card = f"card-{number % 20}"
        event = {
            "event_id": f"e{number}",
            "type": "payment",
            "event_time": T0 + number * 1_000,
            "fields": {"card_id": card, "terminal_id": "t1", "amount": amount},
        }
        producer.produce(deployment.names.topic("events"), msgspec.json.encode(event), card.encode())
        producer.poll(0)
    assert producer.flush(30) == 0


def decisions(deployment: "Deployment") -> list[Decision]:
    topic = deployment.names.topic("decisions")
    values = [record.value() for record in kafka.read_all(deployment.stack.kafka_bootstrap, topic)]
    return [msgspec.json.decode(value, type=Decision) for value in values if value is not None]


def wait_for(holds: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.1)


def committed(deployment: "Deployment") -> bool:
    bootstrap, events = deployment.stack.kafka_bootstrap, deployment.names.topic("events")
    done = kafka.committed_offsets(bootstrap, deployment.names.group("a"), events)
    return all(done.get(number, 0) == end for number, end in kafka.end_offsets(bootstrap, events).items())


def test_kill_9_in_the_middle_loses_no_decision(deployment: "Deployment") -> None:
    worker = tiers.start_realtime(deployment)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        for round_ in range(3):
            send(deployment, round_ * 2_000, 2_000)
            worker.kill()
            worker = tiers.start_realtime(deployment)
        wait_for(lambda: committed(deployment), "the group to commit all events")
    finally:
        worker.stop()
    books = reconcile(deployment)
    assert (books.events, books.decisions, books.missing, books.conflicts) == (6_000, 6_000, 0, 0)


def test_a_clean_stop_and_start_repeats_nothing(deployment: "Deployment") -> None:
    for round_ in range(2):
        worker = tiers.start_realtime(deployment, options=PATIENT)
        try:
            send(deployment, round_ * 500, 500)
            wait_for(lambda: committed(deployment), "the group to commit all events")
        finally:
            worker.stop()
        assert worker.process.returncode == 0
    made = decisions(deployment)
    assert len(made) == 1_000
    counts = {decision.event_id: decision.features[0] for decision in made}
    assert counts["e980"] == 49  # the 50th payment of its card: the first worker's profiles were found again


def test_a_second_worker_takes_over_from_one_that_is_killed(deployment: "Deployment") -> None:
    first, second = (tiers.start_realtime(deployment, worker=name) for name in ("w1", "w2"))
    try:
        tiers.wait_ready(deployment, [first, second], READY_S)
        send(deployment, 0, 2_000)
        first.kill()
        send(deployment, 2_000, 2_000)
        wait_for(lambda: committed(deployment), "the other worker to commit all events")
    finally:
        tiers.stop_all([first, second])
    books = reconcile(deployment)
    assert (books.decisions, books.missing, books.conflicts) == (4_000, 0, 0)


def test_profiles_of_another_topic_are_refused(deployment: "Deployment") -> None:
    worker = tiers.start_realtime(deployment)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
    finally:
        worker.stop()
    events = deployment.names.topic("events")
    kafka.delete_topics(deployment.stack.kafka_bootstrap, [events])
    spaces.create(deployment)
    worker = tiers.start_realtime(deployment)
    try:
        with pytest.raises(tiers.TierEnded, match="created anew"):
            tiers.wait_ready(deployment, [worker], READY_S)
    finally:
        worker.stop()
