"""The page that tells how to describe a business describes one that works."""

import re
from pathlib import Path

import msgspec

from fraudbrain_deploy.importing import event_stream
from fraudbrain_shared.scenario.load import built_in_scenarios
from fraudbrain_shared.scenario.parse import parse_scenario

PAGE = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text()
BLOCKS = re.findall(r"```toml\n# (\w+\.toml)\n(.*?)```", PAGE, re.DOTALL)
(CSV,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)


def test_its_files_are_a_sound_scenario_that_reads_its_data(tmp_path: Path) -> None:
    scenario = parse_scenario({name: text.encode() for name, text in BLOCKS})
    (tmp_path / "gifts.csv").write_text(CSV)
    source = event_stream(scenario, tmp_path / "gifts.csv", label_delay_ms=0)
    (batch,) = source.event_batches()
    amounts = [msgspec.json.decode(value)["fields"]["amount"] for value in batch.values]
    assert (amounts, source.mapping, source.labels) == ([2_500, 10_000], 0, 2)


def test_it_names_all_built_in_scenarios() -> None:
    assert all(f"`{name}`" in PAGE for name in built_in_scenarios())
