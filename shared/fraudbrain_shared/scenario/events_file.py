"""`events.toml`: the types of events, their fields and what a caller does when no answer came."""

from collections.abc import Callable
from typing import Final, cast, get_args

from fraudbrain_shared.records import Outcome
from fraudbrain_shared.scenario.description import EventType, Field, FieldType, SafeDefault
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.names import fault_of_field_name, fault_of_name
from fraudbrain_shared.scenario.table import Table

OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
FIELD_TYPES: Final[tuple[FieldType, ...]] = ("string", "int", "double", "bool")
LATER_FIELD_TYPES: Final = ("timestamp", "duration", "enum", "strings")


def read_event_types(file: Table, expressions: ExpressionCheck) -> dict[str, EventType]:
    """All event types of the file. Those that are not decided have no deadline and no safe default."""
    types = {name: _event_type(name, table, expressions) for name, table in file.tables()}
    if not types:
        file.note("no event type is declared", "declare one as [name] with [name.fields]")
    elif not any(each.decide for each in types.values()):
        file.note("no event type is decided", "write decide = true for at least one")
    return types


def _event_type(name: str, table: Table, expressions: ExpressionCheck) -> EventType:
    if fault := fault_of_name(name):
        table.note(fault)
    decide = table.flag("decide", default=False, harmless=True)
    deadline_ms = (table.duration_ms("deadline") or 0) if decide else 0
    safe_default = tuple(_safe_default(each) for each in table.array("safe_default")) if decide else ()
    if not decide:
        for key in ("deadline", "safe_default"):
            if key in table:
                table.note(f"{name} is not decided, so it has no {key}", key=key, at_key=True)
        table.ignore("deadline", "safe_default")
    elif not safe_default or safe_default[-1].up_to is not None:
        table.note("safe_default must end with an outcome for every amount", 'add { outcome = "review" }')
    fields = {field.name: field for field in (_field(*each, expressions) for each in table.table("fields").tables())}
    if not fields:
        table.note(f"{name} has no fields", f"declare them in [{name}.fields]")
    table.close()
    return EventType(name, decide, deadline_ms, fields, safe_default)


def _safe_default(table: Table) -> SafeDefault:
    outcome = table.choice("outcome", OUTCOMES)
    up_to = table.optional(table.whole, "up_to")
    table.close()
    return SafeDefault(cast(Outcome, outcome or "review"), up_to)


def _field(name: str, table: Table, expressions: ExpressionCheck) -> Field:
    if fault := fault_of_field_name(name):
        table.note(fault)
    kind = _field_type(table)
    if kind is None:
        expressions.mark_broken(f"event.{name}")
        return Field(name, "string")
    low, high = _bounds(table, kind)
    max_length = table.optional(table.whole, "max_length")
    if max_length is not None and (kind != "string" or max_length < 1):
        table.note("max_length is for strings, and at least 1", key="max_length")
        max_length = None
    entity = table.optional(table.text, "entity")
    if entity and (fault := fault_of_name(entity) or (kind != "string" and "an entity is named by a string") or None):
        table.note(fault, key="entity")
    field = Field(
        name=name,
        type=kind,
        optional=table.flag("optional", default=False),
        entity=entity,
        sensitive=table.flag("sensitive", default=False),
        unit=table.optional(table.text, "unit"),
        min=low,
        max=high,
        max_length=max_length,
    )
    table.close()
    return field


def _field_type(table: Table) -> FieldType | None:
    if (later := table.value("type")) in LATER_FIELD_TYPES:
        table.note(f"fields of type {later} are not supported yet", f"supported: {', '.join(FIELD_TYPES)}", key="type")
        return None
    return cast(FieldType | None, table.choice("type", FIELD_TYPES))


def _bounds(table: Table, kind: FieldType) -> tuple[float | None, float | None]:
    """The least and the greatest value, of the field's own type."""
    if kind not in ("int", "double"):
        for key in ("min", "max"):
            if key in table:
                table.note(f"{key} is for numbers; the field is a {kind}", key=key, at_key=True)
        table.ignore("min", "max")
        return None, None
    read: Callable[[str], float | None] = table.whole if kind == "int" else table.number
    low, high = table.optional(read, "min"), table.optional(read, "max")
    if low is not None and high is not None and low > high:
        table.note(f"min {low} is above max {high}", key="min")
    return low, high
