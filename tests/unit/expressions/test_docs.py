"""What the analyst reads is true: its examples are run, its tables are those of the code."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from fraudbrain_shared.expressions import ERROR, Name, Scope, Type, check, compile_function
from fraudbrain_shared.expressions.functions import METHODS, OVERLOADS
from fraudbrain_shared.expressions.time_literals import timestamp_ms

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/expressions.md"
CASES = ROOT / "tests/parity/expressions/cel_spec_cases.json"
TEXT = PAGE.read_text()
EXAMPLES = [
    tuple(re.split(r"\s+// ", line))
    for block in re.findall(r"^```cel\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TEXT.splitlines() if line.startswith("| `")]


def sample() -> tuple[Scope, list[Any]]:
    """The names of the first table, and their values."""
    names = re.compile(r"`(?:event|profile|param)\.\w+`")
    rows = [(row[0].strip("`"), Type(row[1]), row[2]) for row in ROWS if len(row) == 3 and names.fullmatch(row[0])]
    scope = {
        path: Name(path, type_, f"values[{place}]", may_be_unknown=value == "missing")
        for place, (path, type_, value) in enumerate(rows)
    }
    return scope, [_value(type_, value) for _, type_, value in rows]


def _value(type_: Type, written: str) -> Any:
    if written == "missing":
        return None
    return timestamp_ms(written.strip("`")) if type_ is Type.TIMESTAMP else json.loads(written.strip("`"))


@pytest.mark.parametrize(("text", "result"), EXAMPLES, ids=[text for text, _ in EXAMPLES])
def test_an_example_yields_what_stands_beside_it(text: str, result: str) -> None:
    scope, values = sample()
    (value,) = compile_function("evaluate", ["values"], {"it": check(text, scope)})(values)
    assert _shown(value) == result


def _shown(value: Any) -> str:
    match value:
        case None:
            return "unknown"
        case bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return "error" if value is ERROR else repr(value)


def test_the_costs_are_the_ones_estimated() -> None:
    scope, _ = sample()
    costs = {row[0].strip("`"): int(row[1]) for row in ROWS if len(row) == 2 and row[1].isdigit()}
    assert {text: check(text, scope).cost for text in costs} == costs
    assert len(costs) == 5


def test_the_tables_are_current() -> None:
    """REWRITE=1 writes them anew: review the diff."""
    text = _with_table(_with_table(TEXT, "table", _overloads()), "cases", _unsupported())
    if os.environ.get("REWRITE"):
        PAGE.write_text(text)
    assert text == TEXT


def _with_table(text: str, name: str, table: str) -> str:
    return re.sub(rf"(<!-- {name}: [^\n]*\n).*?(<!-- end -->)", lambda it: it[1] + table + it[2], text, flags=re.DOTALL)


def _overloads() -> str:
    lines = ["| operator or function | of | gives |", "| --- | --- | --- |"]
    for name, overloads in OVERLOADS.items():
        by_result: dict[Type, dict[str, None]] = {}
        for each in overloads:
            by_result.setdefault(each.gives, {})[", ".join(type_.value for type_ in each.takes)] = None
        shown = f"`x.{name}()`" if name in METHODS else f"`{name}`"
        lines += [f"| {shown} | {'; '.join(takes)} | {gives.value} |" for gives, takes in by_result.items()]
    return "\n".join(lines) + "\n"


def _unsupported() -> str:
    spec = json.loads(CASES.read_text())
    lines = ["| feature | cases |", "| --- | --- |", f"| **within the subset** | **{len(spec['inside'])}** |"]
    return "\n".join([*lines, *(f"| {name} | {count} |" for name, count in spec["unsupported"].items())]) + "\n"
