import argparse
import json
from pathlib import Path

import pytest

from fraudbrain_deploy import simulate_command


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    simulate_command.add_arguments(parser)
    return simulate_command.run(parser.parse_args(argv))


def test_it_writes_a_folder_and_says_what_is_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--days", "5", "--customers", "50", "--terminals", "20", "--start", "2026-03-02"]
    assert run("cards", "--out", str(tmp_path / "made"), "--json", *sizes) == 0
    story = json.loads(capsys.readouterr().out)
    assert story["settings"]["customers"]["count"] == 50
    assert story["settings"]["start"] == "2026-03-02"
    assert story["events"] > 100
    assert {file.name for file in (tmp_path / "made").iterdir()} == {
        *("events.parquet", "labels.parquet", "truth.parquet"),
        "simulation.json",
    }


def test_print_settings_writes_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("cards", "--print-settings") == 0
    assert capsys.readouterr().out.startswith("# A simulation of card payments")


def test_wrong_settings_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("cards", "--out", str(tmp_path), "--days", "0") == 2
    assert "days" in capsys.readouterr().err
