"""Decisions by event id in Redis: told once they are written for good, and missed by nobody else."""

import socket
import time
from typing import TYPE_CHECKING

import msgspec
import redis

from fraudbrain_deploy import tiers
from fraudbrain_realtime.stores.redis import KEPT_S, RedisAnswers
from fraudbrain_shared.records import Decision
from tests.integration.realtime.test_worker import READY_S, decisions, send, wait_for

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment
    from fraudbrain_deploy.stack import StackSettings


def test_a_decision_can_be_asked_for_by_its_events_id(deployment: "Deployment") -> None:
    answers = redis.Redis.from_url(deployment.stack.redis_url)
    worker = tiers.start_realtime(deployment)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        send(deployment, 0, 200)
        keys = {f"e{number}": deployment.names.answer(f"card-{number % 20}", f"e{number}") for number in range(200)}
        wait_for(lambda: answers.exists(*keys.values()) == len(keys), "all decisions to be told")
    finally:
        worker.stop()
    told = {event_id: answers.get(key) for event_id, key in keys.items()}
    assert {id_: msgspec.json.decode(value or b"", type=Decision) for id_, value in told.items()} == {
        decision.event_id: decision for decision in decisions(deployment)
    }
    assert 0 < answers.ttl(keys["e0"]) <= KEPT_S


def test_the_first_decision_stays(stack: "StackSettings", space: str) -> None:
    answers = RedisAnswers(stack.redis_url)
    key = f"{space}.decision"
    store = redis.Redis.from_url(stack.redis_url)
    deadline = time.monotonic() + 30
    while store.get(key) is None:  # a put that is not answered in 10 ms is given up
        answers.put({key: b"first"})
        assert time.monotonic() < deadline
    answers.put({key: b"second"})
    assert store.get(key) == b"first"


def test_a_redis_that_is_gone_or_silent_is_given_up_without_an_error() -> None:
    RedisAnswers("redis://127.0.0.1:9/0").put({"key": b"value"})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answers = RedisAnswers(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        for _ in range(30):
            answers.put({"key": b"value"})
