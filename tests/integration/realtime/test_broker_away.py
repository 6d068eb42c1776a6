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

        def told(what: str) -> list[str]:
            return sorted(said.split(": ")[0] for said in caplog.messages if what in said)

        turn_until(lambda: bool(producer.list_topics(timeout=10).brokers))
        for times in (1, 2):
            down(settings, ("kafka",))
            turn_until(lambda times=times: len(told(" is away")) >= 2 * times)  # type: ignore[misc]
            until = time.monotonic() + 3
            turn_until(lambda until=until: time.monotonic() > until)  # type: ignore[misc]
            up(settings, ("kafka",))
            turn_until(lambda times=times: len(told(" answers again")) >= 2 * times)  # type: ignore[misc]
            assert told(" is away") == told(" answers again") == ["consumer"] * times + ["producer"] * times
        consumer.close()
        producer.purge()
    finally:
        down(settings, ("kafka",))
