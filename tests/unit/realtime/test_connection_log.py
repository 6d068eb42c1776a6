"""What is told of a client's connections, with the real client where no broker is and with its words where one is."""

import logging
import socket
import time

import msgspec
import pytest
from confluent_kafka import Consumer, Producer

from fraudbrain_realtime.kafka.connection_log import ConnectionLog

REFUSED = "Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)"
WAYS = (
    "[thrd:b1:9092/bootstrap]: b1:9092/bootstrap: " + REFUSED,
    "[thrd:b1:9092/1]: b1:9092/1: Disconnected (after 9000ms in state UP)",
    "[thrd:GroupCoordinator]: GroupCoordinator: b1:9092: Disconnected while requesting ApiVersion: might be anything",
    "[thrd:b1:9092/1]: b1:9092/1: Connection setup timed out in state CONNECT (after 30030ms in state CONNECT)",
    "[thrd:b1:9092/1]: b1:9092/1: 3 request(s) timed out: disconnect (average rtt 1.000ms)",
    "[thrd:b1:9092/1]: b1:9092/1: Failed to resolve 'b1:9092': Temporary failure in name resolution",
)


def statistics(**states: str) -> str:
    brokers = {name: {"nodename": f"{name}:9092", "state": state, "nodeid": 1} for name, state in states.items()}
    return msgspec.json.encode({"name": "rdkafka#consumer-1", "brokers": brokers}).decode()


def say(client: ConnectionLog, *said: str, facility: str = "FAIL") -> None:
    for each in said:
        client.log(logging.ERROR, "%s [%s] %s", facility, "rdkafka#consumer-1", each)


def test_a_broker_that_goes_and_comes_is_two_lines(caplog: pytest.LogCaptureFixture) -> None:
    client = ConnectionLog("consumer")
    for _ in range(2):
        caplog.clear()
        say(client, *WAYS, *WAYS)
        client.on_statistics(statistics(b1="DOWN"))
        say(client, *WAYS)
        client.on_statistics(statistics(b1="UP"))
        client.on_statistics(statistics(b1="UP"))
        assert caplog.messages == [
            f"consumer: broker b1:9092 is away: {REFUSED}",
            "consumer: broker b1:9092 answers again",
        ]


def test_each_broker_is_told_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    client = ConnectionLog("consumer")
    say(client, WAYS[0], WAYS[0].replace("b1", "b2"))
    client.on_statistics(statistics(b1="DOWN", b2="UP"))
    say(client, WAYS[0])
    client.answered()
    assert [line.split(": ")[1] for line in caplog.messages] == [
        *("broker b1:9092 is away", "broker b2:9092 is away"),
        *("broker b2:9092 answers again", "broker b1:9092 answers again"),
    ]


def test_what_is_not_about_connections_is_never_hidden(caplog: pytest.LogCaptureFixture) -> None:
    client = ConnectionLog("producer")
    said = (
        "[thrd:b1:9092/1]: b1:9092/1: SASL authentication error: Authentication failed (after 5ms in state AUTH_REQ)",
        "[thrd:main]: Fatal error: Local: Message purged",
    )
    for _ in range(2):
        say(client, *said)
    assert caplog.messages == [f"producer: FAIL [rdkafka#consumer-1] {each}" for each in (*said, *said)]


def test_statistics_that_nobody_can_read_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    client = ConnectionLog("consumer")
    say(client, WAYS[0])
    client.on_statistics("no json")
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("make", [Consumer, Producer])
def test_a_real_client_without_a_broker_says_so_once(
    make: type[Consumer] | type[Producer], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]  # nobody else's; closed below
    group = {"group.id": "g"} if make is Consumer else {}
    client = make({"bootstrap.servers": f"127.0.0.1:{port}", **group, **ConnectionLog("client").settings()})
    if isinstance(client, Consumer):
        client.subscribe(["events"])
    until = time.monotonic() + 20
    while not caplog.messages and time.monotonic() < until:
        client.poll(0.1)
    for _ in range(15):
        client.poll(0.1)
    assert len(caplog.messages) == 1
    assert f"client: broker 127.0.0.1:{port} is away: Connect to" in caplog.messages[0]
    assert capfd.readouterr().err == ""
