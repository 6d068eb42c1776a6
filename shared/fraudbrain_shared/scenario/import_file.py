"""`import.toml`: how the columns of a foreign file become events and labels."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fraudbrain_shared.scenario.description import ColumnSource, EventType, Field, FieldType, ImportMapping, RowChoice
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.kinds import NUMBER, TEXT, TEXTS, table_of, tables_of
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.table import Kind, Names, Table, Variants, allowed, defaulting, inside, required

_CONSTANTS: Final[Mapping[FieldType, tuple[type, ...]]] = {
    "string": (str,),
    "int": (int,),
    "double": (int, float),
    "bool": (bool,),
    "timestamp": (str, int),
    "duration": (int,),
    "enum": (str,),
    "strings": (str,),
}
_SCALED: Final[tuple[FieldType, ...]] = ("int", "double", "timestamp", "duration")


class SourceTable(Table):
    """Where a field's value comes from; a bare text in its place is the column."""

    column = allowed(TEXT, "The name of the column; this or `constant`.", '"AMOUNT"')
    constant = allowed(
        Kind("text, a number, or true or false", lambda table, key: table.raw(key)),
        "A value for all rows, where the file has no such column.",
        '"online"',
    )
    scale = allowed(
        NUMBER,
        "What a number is multiplied by, exactly: 100 makes minor units of whole ones, 1000 milliseconds of seconds.",
        "100",
        default="1",
    )
    zone = defaulting(TEXT, "UTC", "The zone of times that name none.", '"Europe/Madrid"', default="UTC")
    separator = allowed(
        TEXT, "What stands between the texts of a `strings` field, where the column has one text.", '";"'
    )


class Source(NamedTuple):
    """A source as it was read; `table` is where more is said about it than the column."""

    source: ColumnSource
    table: SourceTable | None = None


def _read_source(outer: Table, key: str) -> Source | None:
    if not isinstance(outer.raw(key), dict):
        column = TEXT.read(outer, key)
        return Source(ColumnSource(column)) if column else None
    table = outer.under(key, SourceTable)
    column, constant, scale, zone = table.column, table.constant, table.scale, table.zone
    if (column is None) == (constant is None):
        table.note("either a column or a constant", 'such as { column = "AMOUNT" }')
    if scale == 0:
        table.note("scale is for numbers, and not 0", key="scale")
    if not _is_zone(zone):
        table.note(f"unknown time zone {zone}", "a name as in Europe/Madrid, or UTC", key="zone")
    known = constant if isinstance(constant, str | int | float | bool) else None
    return Source(ColumnSource(column, scale, zone, known, table.separator), table)


SOURCE: Final = Variants("the name of a column, or a table", _read_source, (SourceTable,))


class Sources(Names[Source]):
    """The source of each field; all fields that are required need one."""

    called = "<field>"
    entry = SOURCE
    example = '{ column = "TX_AMOUNT", scale = 100 }'


class LabelTable(Table):
    """What the file says of how it turned out."""

    fraud = required(SOURCE, "Whether it was a fraud: yes or no, true or false, 1 or 0.", '"TX_FRAUD"')


class OnlyTable(Table):
    """Which rows of a file are events of the type, where it holds several types."""

    column = required(TEXT, "The column that tells them apart.", '"kind"')
    values = required(TEXTS, "What it holds for this type.", '["ping"]')


class ImportTable(Table):
    """The rows of a file as events of one type: `[<type>]`, or once for each form that files have, `[[<type>]]`. A
    file is read by the table all whose columns it has. Rows that do not fit are reported, with the reason."""

    event_id = required(SOURCE, "What makes a row known.", '"TRANSACTION_ID"')
    event_time = required(
        SOURCE, "When it happened: a time as text or of the file's own type, or milliseconds.", '{ column = "TIME" }'
    )
    fields = inside(table_of(Sources), "The fields.")
    label = allowed(table_of(LabelTable), "What turned out.", "")
    only = allowed(table_of(OnlyTable), "Which rows.", "", default="all rows")


class ImportFile(Names[list[ImportTable]]):
    """How the columns of foreign Parquet or CSV files become events and labels."""

    called = "<type>"
    entry = tables_of(ImportTable)


def read_import(
    file: ImportFile, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> tuple[ImportMapping, ...]:
    """The mappings in the order of the file. `event_types` is empty if they could not be read."""
    return tuple(
        _mapping(name, table, event_types, expressions) for name, tables in file.entries().items() for table in tables
    )


def _mapping(
    name: str, table: ImportTable, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> ImportMapping:
    event_type = event_types.get(name)
    if event_types and event_type is None:
        table.note(f"unknown event type {name}", nearest(name, event_types))
    return ImportMapping(
        type=name,
        event_id=_column(table, "event_id", table.event_id),
        event_time=_column(table, "event_time", table.event_time),
        fields=_fields(table.fields, event_type, expressions),
        fraud=_column(table.label, "fraud", table.label.fraud) if table.label else None,
        only=_only(table.only) if table.only else None,
    )


def _only(table: OnlyTable) -> RowChoice:
    return RowChoice(table.column or "", tuple(value for _, value in table.values or ()))


def _column(table: Table, key: str, read: Source | None) -> ColumnSource:
    """A source that differs from row to row."""
    source = read.source if read else ColumnSource(None)
    if source.constant is not None:
        table.note(f"{key} differs from row to row: it needs a column", key=key)
    return source


def _fields(table: Sources, event_type: EventType | None, expressions: ExpressionCheck) -> dict[str, ColumnSource]:
    """The sources of the fields: of every one that is required, of no other than declared ones."""
    known = event_type.fields if event_type else {}
    for name, each in table.entries().items():
        if event_type and name not in known:
            table.note(f"{event_type.name} has no field {name}", nearest(name, known), key=name, at_key=True)
        elif event_type and each.table and not expressions.is_passed_over(f"event.{name}"):
            _check_for(known[name], each.source, each.table)
    missing = [field.name for field in known.values() if not field.optional and field.name not in table]
    if missing:
        table.note(f"no column is given for {', '.join(missing)}", "a constant will do: { constant = … }")
    return {name: each.source for name, each in table.entries().items()}


def _check_for(field: Field, source: ColumnSource, table: SourceTable) -> None:
    """Whether a source suits the type of its field."""
    if source.constant is not None and type(source.constant) not in _CONSTANTS[field.type]:
        article = "an" if field.type in ("int", "enum") else "a"
        table.note(f"the constant must be {article} {field.type}, as {field.name} is", key="constant")
    elif field.type == "enum" and source.constant is not None and source.constant not in field.values:
        table.note(
            f"{field.name} has no value {source.constant}", nearest(str(source.constant), field.values), key="constant"
        )
    if source.scale is not None and field.type not in _SCALED:
        table.note("scale is for numbers, and not 0", key="scale")
    if source.separator is not None and field.type != "strings":
        table.note(f"separator is for strings; {field.name} is a {field.type}", key="separator")


def _is_zone(name: str) -> bool:
    if name == "UTC":  # known without the system's database of time zones
        return True
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
