"""`parameters.toml`: the numbers that rules and policy use, each within its bounds."""

from collections.abc import Callable, Mapping
from typing import Literal, cast

from fraudbrain_shared.scenario.description import EventType, Parameter
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.names import fault_of_name
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.table import Table
from fraudbrain_shared.scenario.tuning_keys import read_scale, read_tuning


def read_parameters(
    file: Table, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> dict[str, Parameter]:
    """The parameters in the order of the file."""
    return {name: _parameter(name, table, event_types, expressions) for name, table in file.tables()}


def _parameter(
    name: str, table: Table, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> Parameter:
    if fault := fault_of_name(name):
        table.note(fault)
    kind = cast(Literal["int", "double"] | None, table.choice("type", ("int", "double")))
    if kind is None:
        expressions.mark_broken(f"param.{name}")
    read: Callable[[str], float | None] = table.whole if kind == "int" else table.number
    default, low, high = read("default"), read("low"), read("high")
    per, description = _per(table, event_types), table.text("description", default="")
    scale = read_scale(table, kind)
    tuning = read_tuning(table, per, scale, event_types, expressions)
    table.close()
    if default is None or low is None or high is None:
        return Parameter(name, kind or "double", 0, 0, 0, per, description)
    if low > high:
        table.note(f"low {low} is above high {high}", key="low")
    elif not low <= default <= high:
        table.note(f"default {default} is outside of low {low} to high {high}", key="default")
    elif tuning and tuning.max_step and low <= 0 <= high:
        cause = "no share of 0 leads away from it, and the range holds 0"
        table.note(cause, "say how far it may move at once: max_step_abs", key="max_step")
    return Parameter(name, kind or "double", default, low, high, per, description, scale, tuning)


def _per(table: Table, event_types: Mapping[str, EventType]) -> str | None:
    """The field by whose value the parameter is kept: one that names an entity."""
    per = table.optional(table.text, "per")
    named = {field.name for each in event_types.values() for field in each.fields.values() if field.entity}
    if per and event_types and per not in named:
        table.note(f"per {per} is no field with an entity", nearest(per, named), key="per")
        return None
    return per
