"""A space: the topics, tables, folders and consumer groups of one deployment, made and removed as a whole."""

import argparse
import shutil

from fraudbrain_shared.topics import TOPICS

from fraudbrain_deploy import hbase, kafka
from fraudbrain_deploy.deployment import Deployment, open_deployment
from fraudbrain_deploy.errors import UserError

PARTITIONS = 4
_GROUPS_TIMEOUT_S = 30.0  # a member that was killed counts as one until its session is over


def create(deployment: Deployment, partitions: int = PARTITIONS) -> list[str]:
    """Creates the topics that the space lacks and returns their full names.

    Those that exist are compared with what they should be; a difference raises UserError and nothing
    is created.
    """
    _refuse_differences(deployment, partitions)
    return kafka.create_topics(deployment.stack.kafka_bootstrap, deployment.names, partitions=partitions)


def drop(deployment: Deployment) -> None:
    """Removes all that the space holds, records included. The tiers must be stopped. Harmless where nothing is."""
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    kafka.delete_groups(bootstrap, names.group(""), timeout_s=_GROUPS_TIMEOUT_S)
    kafka.delete_topics(bootstrap, [names.topic(topic.name) for topic in TOPICS])
    hbase.drop_tables(deployment.stack.thrift_address, names.table(""))
    for folder in (deployment.lake, deployment.checkpoints):
        shutil.rmtree(folder, ignore_errors=True)


def deploy(arguments: argparse.Namespace) -> int:
    """`fraudbrain scenario deploy`: the space of the scenario, ready for its tiers."""
    deployment = open_deployment(arguments)
    created = create(deployment, getattr(arguments, "partitions", PARTITIONS))
    space = deployment.names.space
    print(f"Created {len(created)} topics of space {space}." if created else f"Space {space} is as it should be.")
    return 0


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
            f"Use another --space, or ask for what is there (--partitions); the records of {names.space} are untouched.",
        )
