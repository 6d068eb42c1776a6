"""Whether a folder is what is deployed, but for what changes by topic: else its rules belong to another release."""

from collections.abc import Mapping
from pathlib import Path

from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.controls import HOT_FILES, scenario_release
from fraudbrain_shared.records import Progress
from fraudbrain_shared.scenario.load import read_folder

_REMEDY = (
    "Rules and policy are published alone; all else in a scenario changes by a release: `fraudbrain scenario deploy`, "
    "then each worker is started with the new folder."
)


def refuse_another(deployment: Deployment, folder: Path, workers: Mapping[str, Progress]) -> None:
    """Raises UserError if the folder's files, but for rules and policy, are not those of the deployment's folder, or
    these not what the workers run, by their progress."""
    deployed, given = read_folder(deployment.folder), read_folder(folder)
    names = sorted({*deployed, *given}.difference(HOT_FILES))
    if others := [name for name in names if deployed.get(name) != given.get(name)]:
        raise UserError(f"{folder} differs from {deployment.folder} in {' and '.join(others)}.", _REMEDY)
    release = scenario_release(deployed)
    runs = {worker: progress.versions.get("scenario_release", release) for worker, progress in workers.items()}
    if strange := [f"{worker} runs {found}" for worker, found in sorted(runs.items()) if found != release]:
        where = f"{deployment.folder} (but for rules and policy) is {release}"
        raise UserError(f"{deployment.names.space} runs another scenario: {where}, {', '.join(strange)}.", _REMEDY)
