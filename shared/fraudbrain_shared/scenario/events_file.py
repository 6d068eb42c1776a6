"""`events.toml`: the types of events, their fields and what a caller does when no answer came."""

from collections.abc import Mapping
from typing import Final, cast, get_args

from fraudbrain_shared.expressions.time_literals import timestamp_ms
from fraudbrain_shared.records import Outcome
from fraudbrain_shared.scenario.description import EventType, Field, FieldType, SafeDefault
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.kinds import (
    DURATION,
    FLAG,
    LENGTH,
    NUMBER,
    TEXT,
    TEXTS,
    WHOLE,
    array_of,
    choice,
    parsed,
    table_of,
    whole,
)
from fraudbrain_shared.scenario.names import fault_of_field_name, fault_of_name
from fraudbrain_shared.scenario.table import Kind, Names, Table, allowed, defaulting, inside, required

OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
FIELD_TYPES: Final[tuple[FieldType, ...]] = get_args(FieldType)
MAX_VALUES: Final = 1_000
MAX_VALUE_LENGTH: Final = 64
MAX_ITEMS: Final = 1_000

_BOUND: Final[Mapping[FieldType, Kind[float]]] = {
    "int": WHOLE,
    "double": NUMBER,
    "timestamp": parsed("a time such as 2020-01-01T00:00:00Z", "is no time", timestamp_ms),
    "duration": LENGTH,
}
_AS_TYPE: Final = Kind("as its type", WHOLE.read)
# Keys that do not go with every type of field.
_TYPES_OF: Final[Mapping[str, tuple[FieldType, ...]]] = {
    "min": ("int", "double", "timestamp", "duration"),
    "max": ("int", "double", "timestamp", "duration"),
    "unit": ("int", "double"),
    "max_length": ("string", "strings"),
    "max_items": ("strings",),
    "values": ("enum",),
    "entity": ("string", "enum"),
}


class FieldTable(Table):
    """A field of an event, written flat under `fields` in its JSON; what breaks a bound is a dead letter."""

    type = required(
        choice(FIELD_TYPES),
        "What it holds. In JSON a `timestamp` is a whole number of milliseconds since 1970 UTC, a `duration` one of "
        "milliseconds, an `enum` one of its `values`, `strings` a list of texts.",
        '"int"',
    )
    optional = defaulting(FLAG, False, "Whether it may be missing or null; its value is then unknown.", "true")
    entity = allowed(
        TEXT,
        "The kind of thing that a `string` or `enum` names, such as a terminal: context and parameters are kept for "
        "it. Several fields may name one kind, such as payer and payee.",
        '"terminal"',
    )
    sensitive = defaulting(FLAG, False, "Marks what is about a person, for whoever shows or exports events.", "true")
    unit = allowed(TEXT, "What a number counts, for people.", '"minor"')
    min = allowed(
        _AS_TYPE,
        "The least value: of the field's type, or for a `timestamp` a time such as `2020-01-01T00:00:00Z`, for a "
        "`duration` a duration.",
        "0",
    )
    max = allowed(_AS_TYPE, "The greatest value, likewise.", "1_000_000_000")
    max_length = allowed(
        whole(1, 65_536), "The most characters of a `string`, or of each of `strings`, which need it.", "64"
    )
    max_items = required(whole(1, MAX_ITEMS), "The most texts in `strings`.", "10", when="for `strings`")
    values = required(TEXTS, "The words that an `enum` may hold.", '["chip", "online"]', when="for an `enum`")


class Fields(Names[FieldTable]):
    """The fields of a type of event, by name."""

    called = "<field>"
    entry = table_of(FieldTable)


class SafeDefaultTable(Table):
    """What a caller uses when no answer came in time; the first that holds, the last one always."""

    outcome = required(choice(OUTCOMES), "What to do.", '"review"')
    up_to = allowed(WHOLE, "For amounts up to this one, by the scenario's `[money]`.", "5_000", default="any amount")


class EventTypeTable(Table):
    """A type of event. Each has the subject among its fields, and an id, a time and its type beside them."""

    decide = defaulting(FLAG, False, "Whether it is decided, not only folded.", "true", faulty=True)
    deadline = required(
        DURATION,
        "How long after its append time an answer is of use; a later one is marked `overdue`.",
        '"50ms"',
        when="if it is decided",
    )
    safe_default = inside(array_of(SafeDefaultTable), "What a caller uses when no answer came in time.")
    fields = inside(table_of(Fields), "The fields.")


class EventsFile(Names[EventTypeTable]):
    """The types of events, by name."""

    called = "<type>"
    entry = table_of(EventTypeTable)


def read_event_types(file: EventsFile, expressions: ExpressionCheck) -> dict[str, EventType]:
    """All event types of the file. Those that are not decided have no deadline and no safe default."""
    types = {name: _event_type(name, table, expressions) for name, table in file.entries().items()}
    if not types:
        file.note("no event type is declared", "declare one as [name] with [name.fields]")
    elif not any(each.decide for each in types.values()):
        file.note("no event type is decided", "write decide = true for at least one")
    return types


def _event_type(name: str, table: EventTypeTable, expressions: ExpressionCheck) -> EventType:
    if fault := fault_of_name(name):
        table.note(fault)
    deadline_ms = 0
    safe_default: tuple[SafeDefault, ...] = ()
    if table.decide:
        deadline_ms = table.deadline or 0
        safe_default = tuple(_safe_default(each) for each in table.safe_default)
        if not safe_default or safe_default[-1].up_to is not None:
            table.note("safe_default must end with an outcome for every amount", 'add { outcome = "review" }')
    else:
        table.refuse(("deadline", "safe_default"), f"{name} is not decided, so it has no {{key}}")
    fields = {field.name: field for field in (_field(*each, expressions) for each in table.fields.entries().items())}
    if not fields:
        table.note(f"{name} has no fields", f"declare them in [{name}.fields]")
    return EventType(name, table.decide, deadline_ms, fields, safe_default)


def _safe_default(table: SafeDefaultTable) -> SafeDefault:
    return SafeDefault(cast(Outcome, table.outcome or "review"), table.up_to)


def _field(name: str, table: FieldTable, expressions: ExpressionCheck) -> Field:
    if fault := fault_of_field_name(name):
        table.note(fault)
    kind = cast(FieldType | None, table.type)
    if kind is None:
        expressions.mark_broken(f"event.{name}")
        return Field(name, "string")
    for key, types in _TYPES_OF.items():
        if kind not in types:
            table.refuse((key,), f"{key} is not for a field of type {kind}", f"it is for {' and '.join(types)}")
    low, high = _bounds(table, kind)
    return Field(
        name=name,
        type=kind,
        optional=table.optional,
        entity=_entity(table) if kind in _TYPES_OF["entity"] else None,
        sensitive=table.sensitive,
        unit=table.unit,
        min=low,
        max=high,
        max_length=_max_length(table, kind),
        values=_values(table) if kind == "enum" else (),
        max_items=table.max_items if kind == "strings" else None,
    )


def _bounds(table: FieldTable, kind: FieldType) -> tuple[float | None, float | None]:
    """The least and the greatest value, of the field's own type; times in milliseconds."""
    if kind not in _BOUND:
        return None, None
    low, high = (_BOUND[kind].read(table, key) if key in table else None for key in ("min", "max"))
    if low is not None and high is not None and low > high:
        table.note(f"min {table.raw('min')} is above max {table.raw('max')}", key="min")
    return low, high


def _max_length(table: FieldTable, kind: FieldType) -> int | None:
    if kind == "strings" and "max_length" not in table:
        table.note("max_length is missing", "of each of the strings")
    return table.max_length if kind in _TYPES_OF["max_length"] else None


def _entity(table: FieldTable) -> str | None:
    if table.entity and (fault := fault_of_name(table.entity)):
        table.note(fault, key="entity")
    return table.entity


def _values(table: FieldTable) -> tuple[str, ...]:
    """The words of an enum: short, and each once."""
    words: list[str] = []
    for index, word in table.values or ():
        if word in words:
            table.note(f"{word} stands here twice", key="values", index=index)
        elif not 0 < len(word) <= MAX_VALUE_LENGTH:
            table.note(f"a value has from 1 to {MAX_VALUE_LENGTH} characters", key="values", index=index)
        words.append(word)
    if len(words) > MAX_VALUES:
        table.note(f"{len(words)} values are too many; an enum has at most {MAX_VALUES}", key="values")
    return tuple(words)
