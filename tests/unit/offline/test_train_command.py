"""What the command `train` prints: a line for programs, and beside it a table for people."""

from pathlib import Path

import msgspec
import pytest

from fraudbrain_offline import registry
from fraudbrain_offline.__main__ import main
from fraudbrain_offline.validation import Validation
from fraudbrain_offline.validation_table import as_table
from tests.unit.offline.lakes import history
from tests.unit.offline.mlflow import FakeApi
from tests.unit.offline.test_training import CUT_MS


def test_it_prints_a_line_of_json_and_shows_how_the_model_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "MlflowApi", FakeApi)
    where = ["--lake", str(history(tmp_path)), "--scenario", "cards", "--space", "cards", "--registry", "http://there"]
    assert main(["train", "--as-of", str(CUT_MS), *where]) == 0
    printed = capsys.readouterr()
    [line] = printed.out.splitlines()
    validation = msgspec.convert(msgspec.json.decode(line)["validation"], Validation)
    assert validation.weeks
    assert printed.err == as_table(validation) + "\n"
