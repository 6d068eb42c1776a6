"""The reference page of the scenario language, made of the declarations by which the files are read."""

from collections.abc import Iterator
from inspect import cleandoc
from typing import Final

from fraudbrain_shared.scenario.parse import FILES, REQUIRED
from fraudbrain_shared.scenario.reads import RULES
from fraudbrain_shared.scenario.table import Key, Kind, Names, Table, Tables, Variants

_HEAD: Final = """\
# Scenario reference

Every file, table and key of a scenario. Printed by `fraudbrain scenario reference` from the declarations by which the
loader reads the files; how to describe a business with them is told in [scenarios](scenarios.md).

A scenario is a folder. `fraudbrain rules check DIR` checks it as a whole and shows all problems at once, each with its
place. Names are letters, digits and `_`. A *duration* is a whole number with `ms`, `s`, `m`, `h` or `d`. An
*expression* is a text in CEL; what it may read is said at its key. A default of *none* means that it may be missing.
"""
_READS: Final = """\
## Reads

Words in `read` of a feature. Of nothing, `count`, `sum`, `distinct` and `streak` are 0, the others unknown. A read with
a dash in *takes* is of records, whatever their value. Quantiles are read over `last` values or the whole life. Context
features, so far, have `count`, `sum`, `mean`, `min`, `max`, `last` and `seconds_since`.

| read | takes | gives | what it is |
| --- | --- | --- | --- |"""
_KEYS: Final = ("| key | what | default | meaning | example |", "| --- | --- | --- | --- | --- |")


def reference() -> str:
    """The page, as Markdown."""
    lines = [_HEAD]
    for name, file in FILES.items():
        needed = "every scenario has one" if name in REQUIRED else "may be missing"
        lines += [f"## {name}", "", f"{_about(file)} ({needed.capitalize()}.)", "", *_keys(file)]
        for path, table in _inner(file, ""):
            lines += [f"### {path}", "", _about(table), "", *_keys(table)]
    return "\n".join([*lines, _READS, *_read_rows()]) + "\n"


def _about(table: type[Table]) -> str:
    """What the table's docstring says, paragraph by paragraph."""
    paragraphs = cleandoc(table.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(each.split("\n")) for each in paragraphs)


def _keys(table: type[Table]) -> list[str]:
    """The table of its keys; of names that the author gives, only if plain values stand under them."""
    rows = [_row(key) for key in table.keys.values()]
    if issubclass(table, Names) and not isinstance(_entry(table), Tables):
        rows = [_cells(f"`{table.called}`", _entry(table).words, "", "", _code(table.called, table.example))]
    return [*_KEYS, *rows, ""] if rows else []


def _row(key: Key[object]) -> str:
    return _cells(f"`{key.name}`", key.kind.words, key.default, key.meaning, _code(key.name, key.example))


def _code(key: str, example: str) -> str:
    return f"`{key} = {example}`" if example else ""


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _inner(table: type[Table], path: str) -> Iterator[tuple[str, type[Table]]]:
    """The tables inside one, each with its heading, and the tables inside those."""
    kinds = {f"{path}{name}": key.kind for name, key in table.keys.items()}
    if issubclass(table, Names):
        kinds = {f"{path}{table.called}": _entry(table)}
    for name, kind in kinds.items():
        match kind:
            case Tables(table=found, is_array=is_array):
                if not issubclass(found, Names):
                    yield (f"`[[{name}]]`" if is_array else f"`[{name}]`"), found
                elif not isinstance(_entry(found), Tables):
                    yield f"`[{name}]`", found
                yield from _inner(found, f"{name}.")
            case Variants(tables=variants):
                yield from ((f"`[{name}]`", each) for each in variants)
            case _:
                pass


def _entry(table: type[Names[object]]) -> Kind[object]:
    return table.entry


def _read_rows() -> Iterator[str]:
    for word, rule in RULES.items():
        takes = " or ".join(sorted(each.value for each in rule.takes)) if rule.needs_value else "–"
        yield _cells(f"`{word}`", takes, rule.yields.value if rule.yields else "as the value", rule.meaning)
