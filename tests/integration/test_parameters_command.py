import argparse
import json

import msgspec
import pytest

from fraudbrain_deploy import kafka, parameters_command
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.parameters import clock_ms, effective, history
from fraudbrain_shared.records import ContextClock, ParameterHold, ParameterValue
from fraudbrain_shared.topics import clock_key, hold_key, value_key

LIMIT = "terminal_amount_limit"
START = 100_000


def publish(deployment: Deployment, topic: str, key: bytes, record: msgspec.Struct | None) -> None:
    producer = kafka.producer(deployment.stack.kafka_bootstrap)
    producer.produce(deployment.names.topic(topic), None if record is None else msgspec.json.encode(record), key)
    assert producer.flush(10) == 0


def move(deployment: Deployment, id_: str, value: int, tick: int, expires_at: int) -> None:
    record = ParameterValue(LIMIT, id_, value, START, tick, expires_at, "rate", {"count": 9})
    publish(deployment, "parameters", value_key(LIMIT, id_), record)


def found(deployment: Deployment, as_of_ms: int) -> dict[str, float]:
    return {each.id: each.value for each in effective(deployment, as_of_ms) if each.name == LIMIT}


def test_a_hold_stands_above_a_value_and_an_expired_one_is_where_it_starts(deployment: Deployment) -> None:
    move(deployment, "t1", 50_000, tick=10, expires_at=100)
    move(deployment, "t1", 40_000, tick=20, expires_at=200)
    move(deployment, "t2", 60_000, tick=20, expires_at=120)
    assert found(deployment, 110) == {"": START, "t1": 40_000, "t2": 60_000}
    assert found(deployment, 120) == {"": START, "t1": 40_000}
    publish(deployment, "parameters", hold_key(LIMIT, "t1"), ParameterHold(LIMIT, "t1", "pin", "ada", "test", 1_000))
    publish(deployment, "parameters", hold_key(LIMIT, "t2"), ParameterHold(LIMIT, "t2", "freeze", "ada", "test"))
    assert found(deployment, 500) == {"": START, "t1": 1_000, "t2": 60_000}
    publish(deployment, "parameters", hold_key(LIMIT, "t1"), None)
    assert found(deployment, 110) == {"": START, "t1": 40_000, "t2": 60_000}
    assert len(history(deployment, LIMIT, "t1")) == 4


def test_event_time_is_the_slow_tiers(deployment: Deployment) -> None:
    assert clock_ms(deployment) > 1_700_000_000_000
    publish(deployment, "context", clock_key("loop"), ContextClock("loop", 77))
    assert clock_ms(deployment) == 77


def test_both_can_be_read_by_people_and_programs(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    move(deployment, "t1", 50_000, tick=1_999_999_999_000, expires_at=2_000_000_000_000)
    publish(deployment, "context", clock_key("loop"), ContextClock("loop", 1_999_999_999_000))
    monkeypatch.setattr("fraudbrain_deploy.spaces.open_deployment", lambda _: deployment)
    parser = argparse.ArgumentParser()
    parameters_command.add_arguments(parser)

    def said(*argv: str) -> str:
        assert parameters_command.run(parser.parse_args(argv)) == 0
        return capsys.readouterr().out

    assert "50000  rate, until 2033" in said("show", LIMIT)
    assert "100000 → 50000  rate (count 9)" in said("history", LIMIT, "--id", "t1")
    assert {each["name"] for each in json.loads(said("show", "--json"))} == set(deployment.scenario.parameters)
    assert json.loads(said("history", "--json"))[0]["evidence"] == {"count": 9}
