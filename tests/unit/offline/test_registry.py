"""What the registry is told of a version: its files, and metrics as a whole and week by week."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fraudbrain_offline import registry
from fraudbrain_offline.pipeline import run_training
from fraudbrain_offline.validation import Validation
from fraudbrain_shared.models.registered import METRIC
from tests.unit.offline.lakes import history
from tests.unit.offline.test_training import CUT_MS, SCENARIO


class FakeApi:
    """MLflow's answers to one registration, and what was sent."""

    def __init__(self, url: str) -> None:
        self.sent: dict[str, list[Any]] = defaultdict(list)
        self.files: dict[str, bytes] = {}

    def get(self, path: str, **parameters: str) -> Any:
        return {}

    def post(self, path: str, **body: object) -> Any:
        self.sent[path].append(body)
        info = {"run_id": "1", "artifact_uri": "mlflow-artifacts:/1"}
        return {"experiment_id": "1", "run": {"info": info}, "model_version": {"version": "1"}}

    def upload(self, folder: str, name: str, content: bytes) -> None:
        self.files[name] = content


def test_a_version_tells_how_it_did_as_a_whole_and_week_by_week(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = FakeApi("")
    monkeypatch.setattr(registry, "MlflowApi", lambda url: api)
    trained = run_training(history(tmp_path), SCENARIO, as_of_ms=CUT_MS)
    assert registry.Registry("", "cards").register(trained) == "1"

    assert set(api.files) == {"release.json", "model.ubj", "validation.json"}
    assert msgspec.json.decode(api.files["validation.json"], type=Validation) == trained.validation
    [batch] = api.sent["runs/log-batch"]
    told = {(metric["key"], metric["step"]): metric["value"] for metric in batch["metrics"]}
    assert len(told) == len(batch["metrics"])
    assert {key: value for (key, step), value in told.items() if not step} == trained.release.metrics
    weeks = trained.validation.weeks
    assert len(weeks) == 2
    shown = [told["weekly_average_precision", step] for step in (1, 2)]
    assert shown == [week.measures.average_precision for week in weeks]
    [version] = api.sent["model-versions/create"]
    assert {f"{METRIC}{name}" for name in trained.release.metrics} < {tag["key"] for tag in version["tags"]}
