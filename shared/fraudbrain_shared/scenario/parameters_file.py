"""`parameters.toml`: the numbers that rules and policy use, each within its bounds."""

from collections.abc import Mapping
from typing import Final, Literal, cast

from fraudbrain_shared.scenario.description import EventType, Parameter
from fraudbrain_shared.scenario.names import fault_of_name
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.table import Table

# How the slow tier may move a parameter; not read before there is a slow tier that does.
TUNING_KEYS: Final = ("max_step", "max_step_abs", "min_interval", "expires", "tuner", "scale")


def read_parameters(file: Table, event_types: Mapping[str, EventType]) -> dict[str, Parameter]:
    """The parameters in the order of the file."""
    return {name: _parameter(name, table, event_types) for name, table in file.tables()}


def _parameter(name: str, table: Table, event_types: Mapping[str, EventType]) -> Parameter:
    if fault := fault_of_name(name):
        table.note(fault)
    kind = cast(Literal["int", "double"], table.choice("type", ("int", "double")) or "double")
    read = table.whole if kind == "int" else table.number
    parameter = Parameter(
        name=name,
        type=kind,
        default=read("default"),
        low=read("low"),
        high=read("high"),
        per=_per(table, event_types),
        description=table.text("description", default=""),
    )
    if parameter.low > parameter.high:
        table.note(f"low {parameter.low} is above high {parameter.high}", key="low")
    elif not parameter.low <= parameter.default <= parameter.high:
        cause = f"default {parameter.default} is outside of low {parameter.low} to high {parameter.high}"
        table.note(cause, key="default")
    table.ignore(*TUNING_KEYS)
    table.close()
    return parameter


def _per(table: Table, event_types: Mapping[str, EventType]) -> str | None:
    """The field by whose value the parameter is kept: one that names an entity."""
    per = table.optional(table.text, "per")
    named = {field.name for each in event_types.values() for field in each.fields.values() if field.entity}
    if per and event_types and per not in named:
        table.note(f"per {per} is no field with an entity", nearest(per, named), key="per")
        return None
    return per
