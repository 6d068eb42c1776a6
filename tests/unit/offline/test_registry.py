"""What the registry is told of a version: its files, and metrics as a whole and week by week."""

from pathlib import Path

import msgspec
import pytest

from fraudbrain_offline import registry
from fraudbrain_offline.pipeline import run_training
from fraudbrain_offline.validation import Validation
from fraudbrain_shared.models.registered import METRIC
from tests.unit.offline.lakes import history
from tests.unit.offline.mlflow import FakeApi
from tests.unit.offline.test_training import CUT_MS, SCENARIO


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
