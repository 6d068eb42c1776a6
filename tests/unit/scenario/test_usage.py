import json
import os
from pathlib import Path

import pytest

from fraudbrain_deploy.__main__ import main
from fraudbrain_deploy.scenario_command import page
from fraudbrain_shared.scenario.usage import usage
from tests.unit.scenario.small import SMALL, changed, parse

EXPECTED = Path(__file__).parent / "page.txt"


def test_features_and_parameters_that_nobody_reads_are_named() -> None:
    assert usage(parse(SMALL)).unused == (
        *("profile.spend_count", "profile.spend_sum", "profile.spend_last"),
        *("profile.failures_count", "profile.failures_seconds_since"),
    )
    unlimited = usage(parse(changed("rules.toml", "param.limit", "1000")))
    assert "param.limit" in unlimited.unused


def test_each_name_has_its_readers() -> None:
    used = usage(parse(SMALL))
    assert {name.name: name.used_by for name in used.derived} == {
        "derived.ratio": ("derived twice",),
        "derived.twice": ("rule unusual",),
    }
    fields = {name.name: name.used_by for name in used.events[0].fields}
    assert fields["event.amount"] == ("money", "profile spend", "derived ratio", "rule large")
    assert used.policy[0].reads == ("finding.large", "finding.unusual")


def test_a_scenario_is_shown_as_people_read_it() -> None:
    """REWRITE=1 writes the expected text anew: review its diff."""
    shown = "\n".join(page(usage(parse(SMALL)))) + "\n"
    if os.environ.get("REWRITE"):
        EXPECTED.write_text(shown)
    assert shown == EXPECTED.read_text()


def test_a_scenario_is_shown_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "show", "cards", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "cards"


def test_rules_check_tells_by_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in changed("rules.toml", "param.limit", "param.limt").items():
        (tmp_path / name).write_text(text)
    assert main(["rules", "check", "cards"]) == 0
    assert main(["rules", "check", str(tmp_path)]) == 1
    assert "rules.toml:3:24: unknown name param.limt" in capsys.readouterr().err
