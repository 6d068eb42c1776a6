"""From the columns of a file to the columns of events, and the rows that cannot go that way."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudbrain_deploy.importing.converted import Column, Converted, Mask, mask, only, plain
from fraudbrain_deploy.importing.event_times import event_times
from fraudbrain_deploy.importing.numbers import doubles, durations, whole_numbers
from fraudbrain_deploy.importing.rejects import Rejects
from fraudbrain_deploy.importing.tables import Raw, column_names, read_columns
from fraudbrain_deploy.importing.texts import booleans, lists, strings, words
from fraudbrain_shared.scenario.description import ColumnSource, Field, ImportMapping, Scenario


@dataclass(frozen=True, slots=True)
class Mapped:
    """Events as columns in the file's order: event_id, type, event_time (UTC ms) and one per field.

    `fraud` has what the file says of each, null where it does not; None where it never does.
    """

    event_id: Column
    type: Column
    event_time: Column
    fields: dict[str, Column]
    fraud: Column | None
    rejects: Rejects


@dataclass(frozen=True, slots=True)
class _Target:
    """What a column becomes, and for which rows it must."""

    name: str
    column: str | None
    converted: Converted
    required: Mask


def map_foreign(scenario: Scenario, mappings: Sequence[ImportMapping], path: Path) -> tuple[list[Mapped], Rejects]:
    """The rows of a foreign file, a part for each mapping, and those that none of them takes.

    Raises UserError for a column that is missing.
    """
    raw = read_columns(path, [column for each in mappings for column in each.columns])
    taken = [_chosen(raw, each) for each in mappings]
    left = ~np.logical_or.reduce(taken)
    choosing = dict.fromkeys(each.only.column for each in mappings if each.only)
    parts = [_map_rows(scenario, each, _rows(raw, rows)) for each, rows in zip(mappings, taken, strict=True)]
    rest = _rows(raw, left)
    causes = (f"{' and '.join(choosing)} chooses no type",)
    return parts, Rejects(rest.table, rest.row, causes, np.zeros(len(rest.row), dtype=np.int16), raw.broken)


def _chosen(raw: Raw, mapping: ImportMapping) -> Mask:
    """The rows that are events of the mapping's type."""
    if mapping.only is None:
        return np.ones(raw.table.num_rows, dtype=np.bool_)
    return mask(pc.is_in(strings(plain(raw.table[mapping.only.column])).values, pa.array(mapping.only.values)))


def _rows(raw: Raw, where: Mask) -> Raw:
    """Some rows; those that are broken are told once, by the rest."""
    return Raw(raw.table, raw.row) if where.all() else Raw(raw.table.filter(pa.array(where)), raw.row[where])


def _map_rows(scenario: Scenario, mapping: ImportMapping, raw: Raw) -> Mapped:
    declared, fraud = scenario.event_types[mapping.type].fields, mapping.fraud
    rows = raw.table.num_rows
    every, none = np.ones(rows, dtype=np.bool_), np.zeros(rows, dtype=np.bool_)
    fields = {}
    for name, source in mapping.fields.items():
        converted = _field(declared[name], _column(raw, source), source)
        fields[name] = _Target(name, source.column, converted, none if declared[name].optional else every)
    moment = event_times(_column(raw, mapping.event_time), zone=mapping.event_time.zone, scale=mapping.event_time.scale)
    return _mapped(
        raw,
        event_id=_Target("event_id", mapping.event_id.column, strings(_column(raw, mapping.event_id)), every),
        event_type=_Target("type", None, strings(pa.repeat(mapping.type, rows)), every),
        event_time=_Target("event_time", mapping.event_time.column, moment, every),
        fields=fields,
        fraud=_Target("fraud", fraud.column, booleans(_column(raw, fraud)), none) if fraud else None,
    )


def map_own(scenario: Scenario, path: Path) -> Mapped:
    """The rows of a Parquet file in the platform's own format: event_id, type, event_time, fields by their names.

    A field stands for every type that declares it. Raises UserError for a column that is missing.
    """
    declared = _declared(scenario)
    needed = _needed(scenario, path)
    raw = read_columns(path, ["event_id", "type", "event_time", *needed])
    every = np.ones(raw.table.num_rows, dtype=np.bool_)
    kinds = strings(plain(raw.table["type"])).values
    kind = pc.index_in(kinds, pa.array(list(scenario.event_types)))
    known = Converted.of(only(kinds, mask(kind.is_valid())), kinds, f"one of {', '.join(scenario.event_types)}")
    fields = {}
    for name in needed:
        types = declared[name]
        demanding = pa.array([number for number, field in enumerate(types) if field and not field.optional], pa.int32())
        first = next(field for field in types if field)
        converted = _field(first, plain(raw.table[name]), ColumnSource(name))
        fields[name] = _Target(name, name, converted, mask(pc.is_in(kind, demanding)))
    moment = event_times(plain(raw.table["event_time"]), zone="UTC", scale=None)
    return _mapped(
        raw,
        event_id=_Target("event_id", "event_id", strings(plain(raw.table["event_id"])), every),
        event_type=_Target("type", "type", known, every),
        event_time=_Target("event_time", "event_time", moment, every),
        fields=fields,
        fraud=None,
    )


def _needed(scenario: Scenario, path: Path) -> list[str]:
    """The fields that the file has or, by the types of its events, must have."""
    there = column_names(path)
    kinds = strings(plain(read_columns(path, ["type"]).table["type"])).values.unique().to_pylist()
    found = [scenario.event_types[kind] for kind in kinds if kind in scenario.event_types]
    must = {field.name for kind in found for field in kind.fields.values() if not field.optional}
    return [name for name in _declared(scenario) if name in there or name in must]


def _declared(scenario: Scenario) -> dict[str, list[Field | None]]:
    """Every field name of the scenario with what each event type, in its order, declares by it."""
    names = dict.fromkeys(name for each in scenario.event_types.values() for name in each.fields)
    return {name: [each.fields.get(name) for each in scenario.event_types.values()] for name in names}


def _column(raw: Raw, source: ColumnSource) -> Column:
    if source.column is None:
        return pa.repeat(source.constant, raw.table.num_rows)
    return plain(raw.table[source.column])


def _field(declared: Field, column: Column, source: ColumnSource) -> Converted:
    match declared.type:
        case "string":
            return strings(column)
        case "int":
            return whole_numbers(column, source.scale)
        case "double":
            return doubles(column, source.scale)
        case "bool":
            return booleans(column)
        case "timestamp":
            return event_times(column, zone=source.zone, scale=source.scale)
        case "duration":
            return durations(column, source.scale)
        case "enum":
            return words(column, declared.values)
        case "strings":
            return lists(column, source.separator)


def _mapped(
    raw: Raw,
    *,
    event_id: _Target,
    event_type: _Target,
    event_time: _Target,
    fields: dict[str, _Target],
    fraud: _Target | None,
) -> Mapped:
    targets = [event_id, event_type, event_time, *fields.values(), *([fraud] if fraud else [])]
    causes, cause_of = _causes(targets, raw.table.num_rows)
    good = pa.array(cause_of < 0)
    bad = np.flatnonzero(cause_of >= 0)

    def taken(target: _Target) -> Column:
        return target.converted.values if not len(bad) else target.converted.values.filter(good)

    return Mapped(
        event_id=taken(event_id),
        type=taken(event_type),
        event_time=taken(event_time),
        fields={name: taken(target) for name, target in fields.items()},
        fraud=fraud and taken(fraud),
        rejects=Rejects(raw.table.take(pa.array(bad)), raw.row[bad], causes, cause_of[bad], raw.broken),
    )


def _causes(targets: Sequence[_Target], rows: int) -> tuple[tuple[str, ...], npt.NDArray[np.int16]]:
    """All causes, and for each row the number of the first that holds, −1 where the row is good."""
    causes: list[str] = []
    cause_of = np.full(rows, -1, dtype=np.int16)
    for target in targets:
        missing = target.required & ~target.converted.unreadable & mask(target.converted.values.is_null())
        for held, what in ((target.converted.unreadable, f"is not {target.converted.wanted}"), (missing, "is empty")):
            cause_of[held & (cause_of < 0)] = len(causes)
            causes.append(f"{target.name}: column {target.column} {what}")
    return tuple(causes), cause_of
