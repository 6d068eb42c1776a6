"""One stack of its own, beside any other: up, killed, up again, down. The tests build on each other in this order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from fraudbrain_deploy.stack import (
    StackError,
    StackSettings,
    down,
    free_port_block,
    load_settings,
    processes,
    status,
    up,
)
from fraudbrain_deploy.stack.parts import PARTS
from fraudbrain_deploy.stack.settings import port_is_free, save_settings

TOPIC, TABLE = "stack-test", "stack_test"
MODEL = os.urandom(8 << 20)  # as large as a record of the topic `models` may be


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackSettings]:
    settings = StackSettings(data=tmp_path_factory.mktemp("stack test"), ports=free_port_block())
    try:
        up(settings)
        yield settings
    finally:
        down(settings)


def pids(settings: StackSettings) -> dict[str, int | None]:
    return {part.part: part.pid for part in status(settings)}


def all_members(settings: StackSettings) -> list[int]:
    return [pid for part in PARTS.values() for pid in processes.members(part.pid_file(settings))]


@contextmanager
def hbase(settings: StackSettings) -> Iterator[Any]:
    import happybase

    host, port = settings.thrift_address
    connection = happybase.Connection(host, port, timeout=10_000)
    yield connection
    connection.close()


def write(settings: StackSettings) -> None:
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    topic = NewTopic(TOPIC, num_partitions=1, replication_factor=1, config={"max.message.bytes": "9437184"})
    admin.create_topics([topic])[TOPIC].result(20)
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "message.max.bytes": 9_437_184})
    producer.produce(TOPIC, MODEL)
    assert producer.flush(20) == 0
    with hbase(settings) as connection:
        connection.create_table(TABLE, {"f": {"max_versions": 1}})
        connection.table(TABLE).put(b"row", {b"f:c": b"value"})


def read_message(settings: StackSettings) -> bytes | None:
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": settings.kafka_bootstrap, "group.id": "stack-test"})
    try:
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        message = consumer.poll(20)
        return message.value() if message and not message.error() else None
    finally:
        consumer.close()


def test_a_fresh_stack_is_ready_in_every_part(settings: StackSettings) -> None:
    found = status(settings)
    assert [part.part for part in found if not part.ready] == []
    assert all(part.pid and part.memory_bytes > 1_000_000 and part.uptime_s > 0 for part in found)
    assert load_settings(settings.data) == settings


def test_up_twice_starts_nothing_new(settings: StackSettings) -> None:
    before = pids(settings)
    up(settings)
    assert pids(settings) == before


def test_every_socket_listens_on_loopback_only(settings: StackSettings) -> None:
    ours = set(all_members(settings))
    listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.pid in ours]
    assert {c.laddr[0] for c in listening if c.laddr} == {"127.0.0.1"}
    assert {c.laddr[1] for c in listening if c.laddr} == {
        getattr(settings.ports, name) for part in PARTS.values() for name in part.ports
    }


def test_a_second_stack_on_the_same_ports_is_refused_with_the_holders_name(
    settings: StackSettings, tmp_path: Path
) -> None:
    with pytest.raises(StackError, match=rf"{settings.ports.kafka} \(kafka\) is held by java \(pid \d+\)"):
        up(StackSettings(data=tmp_path, ports=settings.ports))


def test_a_killed_stack_comes_up_with_its_data(settings: StackSettings) -> None:
    write(settings)
    for pid in all_members(settings):
        os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not all_members(settings), 5)

    up(settings, ["kafka", "hbase"])

    assert read_message(settings) == MODEL
    with hbase(settings) as connection:
        assert connection.table(TABLE).row(b"row") == {b"f:c": b"value"}


def test_an_unknown_topic_is_not_made_by_asking_for_it(settings: StackSettings) -> None:
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    admin.list_topics("nobody-made-this", timeout=10)
    assert "nobody-made-this" not in admin.list_topics(timeout=10).topics


def test_ctrl_c_stops_what_up_had_started_and_nothing_else(settings: StackSettings, tmp_path: Path) -> None:
    other = StackSettings(data=tmp_path, ports=free_port_block())
    save_settings(other)
    command = [sys.executable, "-m", "fraudbrain_deploy", "stack", "up", "kafka", "redis", "--data", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, text=True) as caller:
        assert processes.wait_until(lambda: PARTS["kafka"].pid_file(other).exists(), 30)
        caller.send_signal(signal.SIGINT)
        said = caller.communicate(timeout=30)[1]
    assert caller.returncode == 130, said
    assert all_members(other) == []
    assert processes.members(PARTS["kafka"].pid_file(settings))


def test_down_leaves_nothing_running_and_may_be_repeated(settings: StackSettings) -> None:
    begun = time.monotonic()
    down(settings)
    assert time.monotonic() - begun < 12
    assert all_members(settings) == []
    assert not any((settings.folder / "run").iterdir())
    ports = [getattr(settings.ports, name) for part in PARTS.values() for name in part.ports]
    assert processes.wait_until(lambda: all(map(port_is_free, ports)), 10)  # connections that were open may linger
    down(settings)


def test_the_status_command_says_by_its_exit_code_that_not_all_is_ready(settings: StackSettings) -> None:
    command = [sys.executable, "-m", "fraudbrain_deploy", "stack", "status", "--json", "--data", str(settings.data)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert '"state": "stopped"' in done.stdout
