"""Finds a scenario's folder and reads it: the only place where the loader touches the disk."""

from importlib.resources import files as package_files
from pathlib import Path

from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.parse import parse_scenario
from fraudbrain_shared.scenario.problems import Problem, ScenarioError, nearest


def built_in_scenarios() -> dict[str, Path]:
    """The folders of the scenarios that ship with fraudbrain, by name."""
    folder = Path(str(package_files("fraudbrain_shared"))) / "scenarios"
    return {each.name: each for each in sorted(folder.iterdir()) if (each / "scenario.toml").is_file()}


def find_scenario(name_or_path: str) -> Path:
    """The folder of a built-in scenario, or the folder at a path.

    A bare name means the built-in scenario if there is one: `./cards` is a folder of one's own.
    Raises ScenarioError if there is neither.
    """
    built_in = built_in_scenarios()
    if name_or_path in built_in:
        return built_in[name_or_path]
    folder = Path(name_or_path).expanduser()
    if folder.is_dir():
        return folder
    cause = "neither a built-in scenario nor a folder"
    raise ScenarioError([Problem(name_or_path, cause, nearest(name_or_path, built_in))])


def read_folder(folder: Path) -> dict[str, bytes]:
    """The contents of a folder's TOML files by name. Raises ScenarioError where they cannot be read."""
    try:
        return {each.name: each.read_bytes() for each in sorted(folder.glob("*.toml"))}
    except OSError as error:
        raise ScenarioError([Problem(str(folder), f"cannot be read: {error.strerror}")]) from error


def load_scenario(name_or_path: str) -> Scenario:
    """The scenario of that name or in that folder. Raises ScenarioError with all its problems."""
    return parse_scenario(read_folder(find_scenario(name_or_path)))
