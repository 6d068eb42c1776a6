import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fraudbrain_shared.records import RuleSet
from fraudbrain_shared.scenario import ScenarioError, find_scenario, load_scenario
from fraudbrain_shared.scenario.description import ColumnSource, Window
from fraudbrain_shared.scenario.load import built_in_scenarios
from fraudbrain_shared.scenario.parse import FILES, version_of
from fraudbrain_shared.scenario.rules import compile_rules
from tests.unit.scenario.small import SMALL, changed, parse

HERE = Path(__file__).parent
BROKEN = HERE / "broken"
EXPECTED = HERE / "broken.txt"


def write(folder: Path) -> Path:
    for name, text in SMALL.items():
        (folder / name).write_text(text)
    return folder


def test_a_folder_becomes_a_scenario(tmp_path: Path) -> None:
    scenario = load_scenario(str(write(tmp_path)))
    assert (scenario.name, scenario.subject) == ("small", "card_id")
    assert list(scenario.event_types) == ["payment", "login"]
    payment = scenario.event_types["payment"]
    assert (payment.decide, payment.deadline_ms) == (True, 50)
    assert [(each.up_to, each.outcome) for each in payment.safe_default] == [(5_000, "approve"), (None, "review")]
    assert payment.fields["terminal_id"].entity == "terminal"
    assert scenario.profile["spend"].read_names() == ("spend_count", "spend_sum", "spend_mean", "spend_last")
    assert scenario.profile["failures"].span == Window(3_600_000, 60_000)
    assert [rule.name for rule in scenario.rules] == ["large", "unusual", "abroad"]
    assert [(clause.name, clause.on_unknown) for clause in scenario.policy] == [
        ("decline", "decline"),
        ("review", "review"),
    ]
    assert scenario.money is not None
    assert scenario.money.review_cost == 300


def test_numbers_have_the_type_of_their_parameter() -> None:
    doubles = changed(
        "parameters.toml", 'type = "int"\ndefault = 1_000\nlow = 10', 'type = "double"\ndefault = 1\nlow = 0'
    )
    for files, kind in ((SMALL, int), (doubles, float)):
        limit = parse(files).parameters["limit"]
        assert {type(limit.default), type(limit.low), type(limit.high)} == {kind}


def test_columns_become_fields() -> None:
    (mapping,) = parse(SMALL).importing
    assert (mapping.event_id, mapping.fraud) == (ColumnSource("ID"), ColumnSource("FRAUD"))
    assert mapping.event_time == ColumnSource("TIME", zone="Europe/Madrid")
    assert mapping.fields == {
        "card_id": ColumnSource("CARD"),
        "terminal_id": ColumnSource(None, constant="none"),
        "amount": ColumnSource("AMOUNT", scale=100.0),
    }


def test_any_byte_of_the_folder_changes_its_version(tmp_path: Path) -> None:
    folder = write(tmp_path)
    versions = {load_scenario(str(folder)).version}
    for file in SMALL:
        with (folder / file).open("a") as stream:
            stream.write("#")
        versions.add(load_scenario(str(folder)).version)
    assert len(versions) == len(SMALL) + 1
    assert all(re.fullmatch(r"[0-9a-f]{16}", version) for version in versions)


def test_bytes_that_move_to_another_file_change_the_version() -> None:
    assert version_of({"a": b"xy", "b": b""}) != version_of({"a": b"x", "b": b"y"})


def test_other_files_do_not_change_the_version(tmp_path: Path) -> None:
    folder = write(tmp_path)
    version = load_scenario(str(folder)).version
    (folder / "README.md").write_text("about")
    assert load_scenario(str(folder)).version == version


def test_a_feature_is_known_by_its_definition_only() -> None:
    feature = parse(SMALL).profile["spend"]
    renamed = parse(changed("features.toml", '"mean", "last"]', '"mean", "last", "max"]')).profile["spend"]
    assert renamed.id == feature.id
    for old, new in (
        ('window = "1d"', 'window = "2d"'),
        ('hop = "1h"', 'hop = "2h"'),
        ('value = "event.amount"', 'value = "event.amount + 1"'),
        ('value = "event.amount"', 'value = "event.amount"\nwhere = "event.amount > 1"'),
    ):
        assert parse(changed("features.toml", old, new)).profile["spend"].id != feature.id


def test_a_name_means_the_built_in_scenario_and_a_path_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cards").mkdir()
    assert find_scenario("cards") == built_in_scenarios()["cards"]
    assert find_scenario("./cards") == Path("cards")


def test_the_nearest_built_in_scenario_is_offered() -> None:
    with pytest.raises(ScenarioError, match="did you mean cards"):
        find_scenario("crads")


def test_an_empty_folder_is_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as raised:
        load_scenario(str(tmp_path))
    assert [problem.file for problem in raised.value.problems] == ["scenario.toml", "events.toml"]


@pytest.mark.parametrize("name", built_in_scenarios())
def test_a_built_in_scenario_is_sound_and_runs(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    compiled = compile_rules(scenario, RuleSet(scenario.version, scenario.rules, scenario.policy))
    assert list(compiled.judges) == [each.name for each in scenario.event_types.values() if each.decide]


def test_two_readings_of_a_folder_are_equal() -> None:
    first, second = load_scenario("cards"), load_scenario("cards")
    assert replace(first, derived={}, profile={}) == replace(second, derived={}, profile={})


def test_all_problems_of_a_folder_are_shown_at_once() -> None:
    """REWRITE=1 writes the expected text anew: review its diff."""
    with pytest.raises(ScenarioError) as raised:
        load_scenario(str(BROKEN))
    shown = f"{raised.value}\n"
    if os.environ.get("REWRITE"):
        EXPECTED.write_text(shown)
    assert shown == EXPECTED.read_text()
    files = [problem.file for problem in raised.value.problems]
    assert files == sorted(files, key=list(FILES).index)
