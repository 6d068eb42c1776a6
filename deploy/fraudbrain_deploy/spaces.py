"""A space: the topics, tables, folders and consumer groups of one deployment, made and removed as a whole."""

import argparse
import shutil
import socket

from fraudbrain_deploy import hbase, kafka, publication
from fraudbrain_deploy.deployment import Deployment, open_deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.topics import TOPICS

PARTITIONS = 4
_GROUPS_TIMEOUT_S = 30.0  # a member that was killed counts as one until its session is over
_CONNECT_TIMEOUT_S = 3.0


def create(deployment: Deployment, partitions: int = PARTITIONS) -> list[str]:
    """Creates the topics that the space lacks and returns their full names; the scenario's rules are published first.

    Those that exist are compared with what they should be; a difference raises UserError and nothing
    is created.
    """
    _refuse_differences(deployment, partitions)
    created = kafka.create_topics(deployment.stack.kafka_bootstrap, deployment.names, partitions=partitions)
    if deployment.names.topic("rules") in created:
        publication.begin(deployment)
    return created


def drop(deployment: Deployment) -> None:
    """Removes all that the space holds, records included. The tiers must be stopped. Harmless where nothing is."""
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    kafka.delete_groups(bootstrap, names.group(""), timeout_s=_GROUPS_TIMEOUT_S)
    kafka.delete_topics(bootstrap, [names.topic(topic.name) for topic in TOPICS])
    hbase.drop_tables(deployment.stack.thrift_address, names.table(""))
    for folder in (deployment.lake, deployment.checkpoints, deployment.state):
        shutil.rmtree(folder, ignore_errors=True)


def require(deployment: Deployment) -> None:
    """Raises UserError with the remedy where the broker is away or the space was never made."""
    bootstrap = deployment.stack.kafka_bootstrap
    host, _, port = bootstrap.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise UserError(f"No broker answers at {bootstrap}.", "Start it: `fraudbrain stack up`.") from error
    if not kafka.topic_partitions(bootstrap, deployment.names.topic("events")):
        space, scenario = deployment.names.space, deployment.scenario.name
        raise UserError(
            f"There is no space {space} at {bootstrap}.",
            f"Create it: `fraudbrain scenario deploy {scenario}`, or name the right one with --space.",
        )


def open_space(arguments: argparse.Namespace) -> Deployment:
    """The deployment that the arguments name, whose space must be there; raises what `require` does."""
    deployment = open_deployment(arguments)
    require(deployment)
    return deployment


def _refuse_differences(deployment: Deployment, partitions: int) -> None:
    names = deployment.names
    wanted = {names.topic(topic.name): topic for topic in TOPICS}
    differences = []
    for name, there in kafka.describe_topics(deployment.stack.kafka_bootstrap, list(wanted)).items():
        topic = wanted[name]
        if there.partitions != (count := topic.partitions or partitions):
            differences.append(f"{name} has {there.partitions} partitions, not {count}")
        for setting, value in topic.config().items():
            if (found := there.config.get(setting)) != value:
                differences.append(f"{name} has {setting}={found}, not {value}")
    if differences:
        raise UserError(
            f"Space {names.space} exists and differs from what it should be:\n  " + "\n  ".join(differences),
            "Nothing was changed. Use another --space, or the number of partitions that is there.",
        )
