"""One deployment of a scenario: which scenario, on which stack, under which names, in which folder.

Cheap to import, since `--help` of many commands needs the options: the loader is imported when it is used.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.topics import Names

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings
    from fraudbrain_shared.scenario.description import Scenario

# No dot: topics and tables are `fraudbrain.<space>.<name>`, and no space may be the beginning of another's names.
_SPACE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A scenario in its space. `folder` is the scenario's own, `data` that of the whole platform."""

    stack: "StackSettings"
    scenario: "Scenario"
    folder: Path
    names: Names
    data: Path

    @property
    def lake(self) -> Path:
        return self.data / "lake" / self.names.space

    @property
    def checkpoints(self) -> Path:
        return self.data / "checkpoints" / self.names.space

    @property
    def state_dir(self) -> Path:
        """Where workers of all spaces keep what must outlive them, each space in a folder of its own: `state`."""
        return self.data / "state"

    @property
    def state(self) -> Path:
        return self.state_dir / self.names.space

    @property
    def tier_logs(self) -> Path:
        return self.data / "tiers" / self.names.space


def add_deployment_arguments(parser: argparse.ArgumentParser, scenario: str | None = "cards") -> None:
    """The options that name a deployment; `scenario` is the default of the first."""
    told = f" (default: {scenario})" if scenario else ""
    parser.add_argument("--scenario", default=scenario, metavar="NAME|DIR", help=f"built-in or own{told}")
    parser.add_argument("--space", help="prefix of its topics and tables (default: the scenario's name)")


def open_deployment(arguments: argparse.Namespace, space: str | None = None) -> Deployment:
    """The deployment that the arguments name; `space` wins over theirs.

    Raises ScenarioError for a scenario that is unknown or wrong, UserError for a name no space can have.
    """
    from fraudbrain_deploy.stack import load_settings
    from fraudbrain_shared.scenario.load import find_scenario, load_scenario

    folder = find_scenario(arguments.scenario).absolute()
    scenario = load_scenario(str(folder))
    return Deployment(
        stack=load_settings(arguments.data),
        scenario=scenario,
        folder=folder,
        names=Names(checked_space(space or arguments.space or scenario.name)),
        data=arguments.data,
    )


def checked_space(space: str) -> str:
    """The name itself. Raises UserError where topics and tables could not be called by it."""
    if not _SPACE.fullmatch(space):
        raise UserError(
            f"{space!r} cannot be the name of a space.",
            "Use at most 63 lower-case letters, digits, `-` and `_`, beginning with a letter or digit.",
        )
    return space
