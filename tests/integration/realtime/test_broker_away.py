"""A real broker that comes late, goes and comes back: it is waited for, and told in few words."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from fraudbrain_deploy.stack import StackSettings, down, free_port_block, up
from fraudbrain_realtime.kafka.connection_log import ConnectionLog
from fraudbrain_realtime.kafka.reachable import wait_for_broker

PATIENCE_S = 120


def test_a_broker_is_waited_for_and_its_absence_is_a_line_when_it_goes_and_one_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = StackSettings(data=tmp_path, ports=free_port_block())
    bootstrap = settings.kafka_bootstrap
    try:
        with ThreadPoolExecutor(1) as starter:
            waiting = starter.submit(wait_for_broker, bootstrap, lambda: False, PATIENCE_S)
            up(settings, ("kafka",))
            assert waiting.result(PATIENCE_S)
        assert sum("waiting for a broker" in said for said in caplog.messages) <= 1
        where = {"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 1_000}
        producer = Producer(where | ConnectionLog("producer").settings())
        consumer = Consumer(where | {"group.id": "g"} | ConnectionLog("consumer").settings())
        consumer.subscribe(["events"])

        def turn_until(holds: Callable[[], bool]) -> None:
            deadline = time.monotonic() + PATIENCE_S
            while not holds():
                assert time.monotonic() < deadline, caplog.messages
                producer.produce("events", b"value")
                producer.poll(0)
                consumer.poll(0.1)

        def told(client: str) -> list[str]:
            """What a client said, by how it ends; while a broker starts it may answer, and be away once more."""
            lines = [said for said in caplog.messages if said.startswith(f"{client}: ")]
            return ["again" if line.endswith("answers again") else "away" for line in lines]

        def all_say(last: str) -> bool:
            return all(told(client)[-1:] == [last] for client in ("producer", "consumer"))

        turn_until(lambda: bool(producer.list_topics(timeout=10).brokers))
        for times in (1, 2):
            down(settings, ("kafka",))
            turn_until(lambda: all_say("away"))
            until = time.monotonic() + 3
            turn_until(lambda until=until: time.monotonic() > until)  # type: ignore[misc]
            assert all_say("away")
            up(settings, ("kafka",))
            turn_until(lambda: all_say("again"))
            for client in ("producer", "consumer"):
                said = told(client)
                assert said == ["away", "again"] * (len(said) // 2)
                assert len(said) <= 2 * 3 * times
        consumer.close()
        producer.purge()
    finally:
        down(settings, ("kafka",))
