"""`import.toml`: how the columns of a foreign file become events and labels."""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fraudbrain_shared.scenario.description import ColumnSource, EventType, Field, ImportMapping
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.table import Table

_CONSTANTS: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "int": (int,),
    "double": (int, float),
    "bool": (bool,),
}


def read_import(
    file: Table, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> ImportMapping | None:
    """The mapping; None if the file declares none. `event_types` is empty if they could not be read."""
    mappings = [_mapping(name, table, event_types, expressions) for name, table in file.tables()]
    if len(mappings) > 1:
        file.note("a file holds events of one type only", "keep one table", key=mappings[1].type, at_key=True)
    return mappings[0] if mappings else None


def _mapping(
    name: str, table: Table, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> ImportMapping:
    event_type = event_types.get(name)
    if event_types and event_type is None:
        table.note(f"unknown event type {name}", nearest(name, event_types))
    mapping = ImportMapping(
        type=name,
        event_id=_required_column(table, "event_id"),
        event_time=_required_column(table, "event_time"),
        fields=_fields(table.table("fields"), event_type, expressions),
        fraud=_fraud(table),
    )
    table.close()
    return mapping


def _fields(table: Table, event_type: EventType | None, expressions: ExpressionCheck) -> dict[str, ColumnSource]:
    """The sources of the fields: of every one that is required, of no other than declared ones."""
    known = event_type.fields if event_type else {}
    sources = {}
    for name in table.keys():  # noqa: SIM118
        if event_type and name not in known:
            table.note(f"{event_type.name} has no field {name}", nearest(name, known), key=name, at_key=True)
        is_broken = expressions.is_passed_over(f"event.{name}")
        sources[name] = _source(table, name, None if is_broken else known.get(name))
    missing = [field.name for field in known.values() if not field.optional and field.name not in sources]
    if missing:
        table.note(f"no column is given for {', '.join(missing)}", "a constant will do: { constant = … }")
    return sources


def _fraud(table: Table) -> ColumnSource | None:
    if "label" not in table:
        return None
    label = table.table("label")
    source = _required_column(label, "fraud")
    label.close()
    return source


def _required_column(table: Table, key: str) -> ColumnSource:
    if key not in table:
        table.note(f"{key} is missing", 'name its column: { column = "…" }')
    source = _source(table, key, None)
    if source.constant is not None:
        table.note(f"{key} differs from row to row: it needs a column", key=key)
    return source


def _source(table: Table, key: str, field: Field | None) -> ColumnSource:
    """Where a value comes from: a column's name, or a table with more about it."""
    value = table.value(key)
    if not isinstance(value, dict):
        return ColumnSource(table.text(key) if key in table else None)
    source = table.table(key)
    column = source.optional(source.text, "column")
    constant = source.value("constant")
    if (column is None) == (constant is None):
        source.note("either a column or a constant", 'such as { column = "AMOUNT" }')
    if field and constant is not None and type(constant) not in _CONSTANTS[field.type]:
        source.note(f"the constant must be a {field.type}, as {field.name} is", key="constant")
    scale = source.optional(source.number, "scale")
    if scale is not None and (scale == 0 or (field is not None and field.type not in ("int", "double"))):
        source.note("scale is for numbers, and not 0", key="scale")
    zone = source.text("zone", default="UTC")
    if not _is_zone(zone):
        source.note(f"unknown time zone {zone}", "a name as in Europe/Madrid, or UTC", key="zone")
    source.close()
    known = constant if isinstance(constant, str | int | float | bool) else None
    return ColumnSource(column, scale, zone, known)


def _is_zone(name: str) -> bool:
    if name == "UTC":  # known without the system's database of time zones
        return True
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
