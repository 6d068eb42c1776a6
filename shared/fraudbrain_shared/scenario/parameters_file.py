"""`parameters.toml`: the numbers that rules and policy use, each within its bounds."""

from collections.abc import Mapping
from typing import Literal, cast

from fraudbrain_shared.scenario.description import EventType, Parameter
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.kinds import NUMBER, SENTENCE, TEXT, WHOLE, choice, table_of
from fraudbrain_shared.scenario.names import fault_of_name
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.table import Kind, Names, Table, allowed, defaulting, present, required
from fraudbrain_shared.scenario.tuning_keys import TuningTable, read_scale, read_tuning


class NumberTable(Table):
    """A number within its bounds."""

    type = required(choice(("int", "double")), "What kind of number it is.", '"double"')
    default = required(NUMBER, "Its value while nobody has moved it; a number of its type.", "5.0")
    low = required(NUMBER, "The least value that it may have.", "1.5")
    high = required(NUMBER, "The greatest.", "50.0")
    per = allowed(
        TEXT,
        "A field with `entity`, by whose value it is kept and for whose value it is read.",
        '"terminal_id"',
        default="one for all",
    )
    description = defaulting(SENTENCE, "", "One sentence for people.", '"What a card may spend"', default="none")


class ParameterTable(NumberTable, TuningTable):
    """A named, bounded number: rules and policy read it as `param.<name>`. People write logic, and with a
    `tuner` the slow tier moves the number."""


class ParametersFile(Names[ParameterTable]):
    """The parameters, by name."""

    called = "<name>"
    entry = table_of(ParameterTable)


def read_parameters(
    file: ParametersFile, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> dict[str, Parameter]:
    """The parameters in the order of the file."""
    return {name: _parameter(name, table, event_types, expressions) for name, table in file.entries().items()}


def _parameter(
    name: str, table: ParameterTable, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> Parameter:
    if fault := fault_of_name(name):
        table.note(fault)
    kind = cast(Literal["int", "double"] | None, table.type)
    if kind is None:
        expressions.mark_broken(f"param.{name}")
    number: Kind[float] = WHOLE if kind == "int" else NUMBER
    default, low, high = (present(number, table, key) for key in ("default", "low", "high"))
    per, description = _per(table, event_types), table.description
    scale = read_scale(table, kind)
    tuning = read_tuning(table, per, scale, event_types, expressions)
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


def _per(table: ParameterTable, event_types: Mapping[str, EventType]) -> str | None:
    """The field by whose value the parameter is kept: one that names an entity."""
    per = table.per
    named = {field.name for each in event_types.values() for field in each.fields.values() if field.entity}
    if per and event_types and per not in named:
        table.note(f"per {per} is no field with an entity", nearest(per, named), key="per")
        return None
    return per
