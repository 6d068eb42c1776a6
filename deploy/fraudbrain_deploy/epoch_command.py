"""`fraudbrain epoch`: which log and which folds the profiles belong to, and a new beginning for them."""

import argparse
from typing import TYPE_CHECKING

from fraudbrain_deploy.deployment import add_deployment_arguments
from fraudbrain_deploy.epoch_raising import add_raising_arguments, begin

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand to look, one to raise."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    show = commands.add_parser("show", help="the log's generation, each group's epoch, and who would refuse to start")
    show.set_defaults(action=_show)

    raising = commands.add_parser(
        "raise",
        help="begin a new epoch: fold the whole log again",
        description="For a group whose workers are stopped. Its profiles count for nothing any more; workers that "
        "start then fold the whole log again, by the profile features of --scenario. With --all and a log that was "
        "created anew or repartitioned, that log is accepted and its generation raised.",
    )
    whose = raising.add_mutually_exclusive_group(required=True)
    whose.add_argument("--group", metavar="G", help="this group of workers")
    whose.add_argument("--all", action="store_true", help="every group of the space")
    add_raising_arguments(raising)
    raising.set_defaults(action=_raise)

    for command in (show, raising):
        command.add_argument("--json", action="store_true", help="for programs")
        add_deployment_arguments(command)


def run(arguments: argparse.Namespace) -> int:
    """Runs the chosen subcommand."""
    from fraudbrain_deploy.spaces import open_space

    return int(arguments.action(open_space(arguments), arguments))


def _show(deployment: "Deployment", arguments: argparse.Namespace) -> int:
    import msgspec

    from fraudbrain_deploy import epochs_display
    from fraudbrain_deploy.epochs import read_epochs

    epochs = read_epochs(deployment)
    if arguments.json:
        refusals = {group: epochs.refusal(group) for group in epochs.groups}
        print(msgspec.json.encode(msgspec.to_builtins(epochs) | {"refusals": refusals}).decode())
    else:
        print(epochs_display.page(epochs))
    return 0


def _raise(deployment: "Deployment", arguments: argparse.Namespace) -> int:
    from fraudbrain_deploy.epochs import read_epochs

    chosen = None if arguments.all else [arguments.group]
    return begin(deployment, read_epochs(deployment), chosen, arguments, as_json=arguments.json)
