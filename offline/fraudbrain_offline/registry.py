"""The registry: model versions in MLflow, and the alias that says which one is the champion.

A version's artifacts are the release as it goes onto the topic (`release.json`), the booster in XGBoost's own format
(`model.ubj`) and how it did in validation (`validation.json`); what MLflow does not keep of them, their hash, is a
tag. The run's metrics are those of the release, and under `weekly_…` each week's, with the week's number as step.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from fraudbrain_offline.mlflow_api import MlflowApi, RegistryProblem
from fraudbrain_offline.pipeline import Trained
from fraudbrain_offline.validation import Validation
from fraudbrain_shared.models.registered import CHAMPION, METRIC, RELEASE, SHA256, model_name
from fraudbrain_shared.records import ModelRelease

_RELEASE_FILE: Final = "release.json"
_BOOSTER_FILE: Final = "model.ubj"
_VALIDATION_FILE: Final = "validation.json"
_WEEKLY: Final = "weekly_"
_ABSENT: Final = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}  # no such model; no such alias
_PAGE: Final = "200"


class ModelVersion(msgspec.Struct, frozen=True):
    """A version in the registry. `version` is MLflow's number; the release's own version is the tag `RELEASE`."""

    version: str
    source: str
    tags: dict[str, str]


class Registry:
    """The versions of one space's model. Each call raises RegistryProblem where MLflow is away or refuses."""

    def __init__(self, url: str, space: str) -> None:
        self._api = MlflowApi(url)
        self.model = model_name(space)

    def register(self, trained: Trained) -> str:
        """Puts a release into the registry; its number there. One that is there already is not put there again."""
        release = trained.release
        self._create_model()
        for there in self.versions():
            if there.tags.get(SHA256) == release.sha256:
                return there.version
        run_id, folder = self._create_run(trained)
        self._api.upload(folder, _RELEASE_FILE, trained.record)
        self._api.upload(folder, _BOOSTER_FILE, trained.booster)
        validation = msgspec.json.format(msgspec.json.encode(trained.validation))
        self._api.upload(folder, _VALIDATION_FILE, validation)
        self._api.post("runs/update", run_id=run_id, status="FINISHED")
        made = self._api.post(
            "model-versions/create",
            name=self.model,
            source=folder,
            run_id=run_id,
            tags=_pairs({SHA256: release.sha256, RELEASE: release.version, **_metric_tags(release)}),
        )
        return str(made["model_version"]["version"])

    def versions(self) -> Iterator[ModelVersion]:
        """All versions, the newest first."""
        page = {"filter": f"name='{self.model}'", "max_results": _PAGE, "order_by": "version_number DESC"}
        while True:
            found = self._api.get("model-versions/search", **page)
            yield from map(_version, found.get("model_versions", ()))
            if not (token := found.get("next_page_token")):
                return
            page["page_token"] = token

    def champion(self) -> ModelVersion | None:
        """The version that the alias names; None if nobody has set it."""
        try:
            found = self._api.get("registered-models/alias", name=self.model, alias=CHAMPION)
        except RegistryProblem as problem:
            if problem.code in _ABSENT:
                return None
            raise
        return _version(found["model_version"])

    def set_champion(self, version: str) -> None:
        """Moves the alias: the promoter takes it from there."""
        self._api.post("registered-models/alias", name=self.model, alias=CHAMPION, version=version)

    def record(self, version: ModelVersion) -> bytes:
        """The release of a version as bytes, unchecked."""
        return self._api.download(version.source, _RELEASE_FILE)

    def tag(self, version: ModelVersion, key: str, value: str) -> None:
        self._api.post("model-versions/set-tag", name=self.model, version=version.version, key=key, value=value)

    def _create_model(self) -> None:
        try:
            self._api.post("registered-models/create", name=self.model)
        except RegistryProblem as problem:
            if problem.code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _create_run(self, trained: Trained) -> tuple[str, str]:
        """A run that tells how the release came about; its id and the address of its artifacts."""
        release = trained.release
        run = self._api.post(
            "runs/create",
            experiment_id=self._experiment(),
            run_name=release.version,
            start_time=release.trained_as_of,
        )["run"]["info"]
        parameters = {
            "scenario": release.scenario,
            "feature_set": release.feature_set,
            "trained_as_of": str(release.trained_as_of),
            "rows": str(release.rows),
            "frauds": str(release.frauds),
            "features": str(len(release.features)),
            "trees": str(len(release.trees.roots)),
        }
        metrics = [
            {"key": name, "value": value, "timestamp": release.trained_as_of, "step": 0}
            for name, value in release.metrics.items()
        ]
        metrics += _weekly(trained.validation)
        self._api.post("runs/log-batch", run_id=run["run_id"], params=_pairs(parameters), metrics=metrics)
        return run["run_id"], run["artifact_uri"]

    def _experiment(self) -> str:
        try:
            return str(self._api.post("experiments/create", name=self.model)["experiment_id"])
        except RegistryProblem as problem:
            if problem.code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = self._api.get("experiments/get-by-name", experiment_name=self.model)
        return str(found["experiment"]["experiment_id"])


def _metric_tags(release: ModelRelease) -> dict[str, str]:
    return {f"{METRIC}{name}": f"{value:.6g}" for name, value in release.metrics.items()}


def _weekly(validation: Validation) -> list[dict[str, Any]]:
    return [
        {"key": f"{_WEEKLY}{name}", "value": value, "timestamp": week.begin_ms, "step": number}
        for number, week in enumerate(validation.weeks, start=1)
        for name, value in week.metrics().items()
    ]


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _version(found: Any) -> ModelVersion:
    tags = {tag["key"]: tag["value"] for tag in found.get("tags", ())}
    return ModelVersion(version=str(found["version"]), source=found["source"], tags=tags)
