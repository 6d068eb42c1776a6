import time
from contextlib import closing
from dataclasses import replace

import happybase
import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient, NewTopic

from fraudbrain_deploy import hbase, kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.spaces import create, drop, require
from fraudbrain_deploy.stack import StackSettings, free_port_block
from fraudbrain_shared.topics import TOPICS, Names


def topics(deployment: Deployment) -> set[str]:
    names = [deployment.names.topic(topic.name) for topic in TOPICS]
    return set(kafka.describe_topics(deployment.stack.kafka_bootstrap, names))


def send(deployment: Deployment, topic: str, value: bytes) -> None:
    producer = kafka.producer(deployment.stack.kafka_bootstrap)
    producer.produce(deployment.names.topic(topic), value, b"key")
    assert producer.flush(10) == 0


def test_topics_are_as_the_contract_says(deployment: Deployment) -> None:
    names, bootstrap = deployment.names, deployment.stack.kafka_bootstrap
    there = kafka.describe_topics(bootstrap, [names.topic(topic.name) for topic in TOPICS])
    for topic in TOPICS:
        found = there[names.topic(topic.name)]
        assert found.partitions == (topic.partitions or 4)
        assert topic.config().items() <= found.config.items()


def test_creating_again_changes_nothing(deployment: Deployment) -> None:
    send(deployment, "labels", b"kept")
    assert create(deployment) == []
    labels = kafka.read_all(deployment.stack.kafka_bootstrap, deployment.names.topic("labels"))
    assert [message.value() for message in labels] == [b"kept"]


def test_another_number_of_partitions_is_refused_with_each_difference(deployment: Deployment) -> None:
    with pytest.raises(UserError, match=r"\.decisions has 4 partitions, not 6") as raised:
        create(deployment, partitions=6)
    assert ".events has 4 partitions, not 6" in raised.value.what


def test_another_setting_is_refused(deployment: Deployment) -> None:
    labels = deployment.names.topic("labels")
    bootstrap = deployment.stack.kafka_bootstrap
    kafka.delete_topics(bootstrap, [labels])
    plain = AdminClient({"bootstrap.servers": bootstrap})
    plain.create_topics([NewTopic(labels, num_partitions=4, replication_factor=1)])[labels].result(10)
    deadline = time.monotonic() + 10
    while not kafka.topic_partitions(bootstrap, labels):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(UserError, match=r"labels has message\.timestamp\.type=CreateTime, not LogAppendTime"):
        create(deployment)


def test_a_dropped_space_is_gone_and_can_be_made_again(deployment: Deployment, space: str) -> None:
    bootstrap, address = deployment.stack.kafka_bootstrap, deployment.stack.thrift_address
    host, port = address
    mine, other = deployment.names.table("profiles.a"), Names(f"{space}-2").table("profiles.a")
    with closing(happybase.Connection(host, port, transport="buffered", protocol="binary")) as connection:
        for table in (mine, other):
            connection.create_table(table, {"p": {"max_versions": 1}})
    send(deployment, "events", b"old")
    join_and_leave(deployment)
    for folder in (deployment.lake, deployment.checkpoints):
        folder.mkdir(parents=True)

    drop(deployment)

    assert topics(deployment) == set()
    assert kafka.delete_groups(bootstrap, deployment.names.group("")) == []
    assert hbase.tables(address, f"fraudbrain.{space}") == [other]
    assert not deployment.lake.exists()
    assert not deployment.checkpoints.exists()
    with pytest.raises(UserError, match="There is no space"):
        require(deployment)
    drop(deployment)  # harmless

    create(deployment)
    require(deployment)
    assert set(kafka.end_offsets(bootstrap, deployment.names.topic("events")).values()) == {0}


def test_a_broker_that_is_away_is_told_with_its_remedy(deployment: Deployment) -> None:
    away = StackSettings(data=deployment.data, ports=free_port_block())
    with pytest.raises(UserError, match="fraudbrain stack up"):
        require(replace(deployment, stack=away))


def join_and_leave(deployment: Deployment) -> None:
    """A member of a consumer group that commits and goes."""
    settings = {"bootstrap.servers": deployment.stack.kafka_bootstrap, "group.id": deployment.names.group("a")}
    member = Consumer(settings | {"auto.offset.reset": "earliest", "enable.auto.commit": False})
    member.subscribe([deployment.names.topic("events")])
    assert member.poll(20) is not None
    member.commit(asynchronous=False)
    member.close()
