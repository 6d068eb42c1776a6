"""`fraudbrain scenario deploy`: the space of a scenario made ready for its tiers, and its groups for other folds."""

import argparse
import shlex
from collections.abc import Iterator

from fraudbrain_deploy.deployment import Deployment, open_deployment
from fraudbrain_deploy.epoch_raising import begin
from fraudbrain_deploy.epochs import Epochs, find_epochs
from fraudbrain_deploy.spaces import create


def deploy(arguments: argparse.Namespace) -> int:
    """Creates what the space lacks; begins the chosen group's new epoch if its workers would refuse to start."""
    deployment = open_deployment(arguments)
    created = create(deployment, arguments.partitions)
    space = deployment.names.space
    print(f"Created {len(created)} topics of space {space}." if created else f"Space {space} is as it should be.")
    epochs = find_epochs(deployment)
    if epochs is None:
        return 0
    if arguments.group is None:
        print("\n".join(_told(epochs, arguments)))
        return 0
    return _fit(deployment, epochs, arguments)


def _fit(deployment: Deployment, epochs: Epochs, arguments: argparse.Namespace) -> int:
    group = arguments.group
    if group in epochs.groups and not epochs.refusal(group):
        print(f"Group {group} is as it should be: its profiles are folded as this scenario folds.")
        return 0
    return begin(deployment, epochs, [group], arguments)


def _told(epochs: Epochs, arguments: argparse.Namespace) -> Iterator[str]:
    """For each group whether its workers would start, and the command where they would not."""
    place = f" --space {arguments.space}" if arguments.space else ""
    scenario = shlex.quote(arguments.scenario)
    for group in sorted(epochs.groups):
        if not (refusal := epochs.refusal(group)):
            yield f"Group {group} is as it should be."
            continue
        one = f"fraudbrain scenario deploy {scenario} --group {group}{place}"
        everyone = f"fraudbrain epoch raise --all --scenario {scenario}{place}"
        yield f"Group {group} needs a new epoch: {refusal}. Nothing was raised."
        yield f"  Stop its workers, then: {one if epochs.is_same_log else everyone}"
