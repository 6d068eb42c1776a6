"""The reference page is made of the declarations by which the files are read."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudbrain_deploy.__main__ import main
from fraudbrain_shared.scenario.parse import FILES
from fraudbrain_shared.scenario.problems import Problem
from fraudbrain_shared.scenario.reference import reference
from fraudbrain_shared.scenario.table import Key, Names, Table, Tables, Variants
from fraudbrain_shared.scenario.toml import TomlFile

PAGE = Path(__file__).parents[3] / "docs" / "scenario-reference.md"


def tables(table: type[Table]) -> Iterator[type[Table]]:
    yield table
    kinds = [each.kind for each in table.keys.values()]
    if issubclass(table, Names):
        kinds.append(table.entry)
    for kind in kinds:
        if isinstance(kind, Tables):
            yield from tables(kind.table)
        elif isinstance(kind, Variants):
            yield from kind.tables


ALL = list(dict.fromkeys(each for file in FILES.values() for each in tables(file)))
KEYS = [(table, key) for table in ALL for key in table.keys.values()]


def test_the_page_is_current() -> None:
    """REWRITE=1 writes the page anew: review its diff."""
    if os.environ.get("REWRITE"):
        PAGE.write_text(reference())
    assert reference() == PAGE.read_text()


@pytest.mark.parametrize(("table", "key"), KEYS, ids=lambda each: getattr(each, "__name__", getattr(each, "name", "")))
def test_an_example_is_read_without_a_problem(table: type[Table], key: Key[object]) -> None:
    problems: list[Problem] = []
    if key.example:
        read = table(TomlFile("example", f"{key.name} = {key.example}".encode()), problems)
        assert getattr(read, key.name) is not None
    assert problems == []


def test_every_key_is_on_the_page_with_its_meaning() -> None:
    page = reference().replace("\\|", "|")
    for table, key in KEYS:
        assert key.meaning, (table, key.name)
        assert f"| `{key.name}` | {key.kind.words} | {key.default} | {key.meaning} |" in page


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "reference"]) == 0
    assert capsys.readouterr().out == reference()
