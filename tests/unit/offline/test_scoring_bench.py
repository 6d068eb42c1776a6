"""The offline tier's bench in small: its shape, never a time."""

from pathlib import Path

import msgspec
import pytest

from fraudbrain_deploy.bench.core.stream import reference_stream
from fraudbrain_deploy.bench.rules.cases import REFERENCE, reference
from fraudbrain_offline import __main__ as command
from fraudbrain_offline.scoring_bench import ScoringFound
from fraudbrain_shared.models import load_scorer
from fraudbrain_shared.models.release import SCORE_TOLERANCE
from fraudbrain_shared.scenario.feature_set import feature_names


def test_scoring_is_measured_and_its_release_is_one_that_the_fast_tier_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, release = tmp_path / "events.jsonl", tmp_path / "release.json"
    events.write_bytes(b"\n".join(event.value for event in reference_stream(reference(), 50).take(300)))
    files = ["--scenario", str(REFERENCE), "--events", str(events), "--release", str(release)]
    assert command.main(["bench", *files, "--rounds", "3", "--slice-s", "0"]) == 0
    found = msgspec.json.decode(capsys.readouterr().out, type=ScoringFound)
    assert (found.rows, found.trees) == (300, 200)
    assert [len(found.ours_us), len(found.xgboost_us)] == [3, 3]
    assert list(found.growth_us) == [1, 50, 200]
    assert found.max_difference <= SCORE_TOLERANCE
    scenario = reference()
    assert load_scorer(release.read_bytes(), feature_names(scenario), scenario.parameters).version == "bench"
