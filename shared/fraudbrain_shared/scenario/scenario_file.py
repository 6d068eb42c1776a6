"""`scenario.toml`: what the scenario is called, whose history is kept, and what errors cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.scenario.description import EventType, Money
from fraudbrain_shared.scenario.expression_check import AMOUNT_ONLY, ExpressionCheck
from fraudbrain_shared.scenario.names import fault_of_scenario_name
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.scope import event_scope
from fraudbrain_shared.scenario.table import Table


@dataclass(frozen=True, slots=True)
class Head:
    """What `scenario.toml` says."""

    name: str
    subject: str
    description: str
    money: Money | None


def read_head(file: Table, event_types: Mapping[str, EventType], expressions: ExpressionCheck) -> Head:
    """The scenario's head; `event_types` is empty if they could not be read."""
    name = file.text("name")
    if name and (fault := fault_of_scenario_name(name)):
        file.note(fault, key="name")
    subject = file.text("subject")
    if subject:
        _check_subject(file, subject, event_types)
    head = Head(name, subject, file.text("description", default=""), _money(file, event_types, expressions))
    file.ignore("holdout")  # read by the decision once would-be declines are let through
    file.close()
    return head


def _check_subject(file: Table, subject: str, event_types: Mapping[str, EventType]) -> None:
    """Every event has a subject: a required string field of that name in each type."""
    for event_type in event_types.values():
        field = event_type.fields.get(subject)
        if field is None:
            hint = nearest(subject, event_type.fields)
            file.note(f"the subject {subject} is no field of {event_type.name}", hint, key="subject")
        elif field.type != "string" or field.optional:
            wrong = "optional" if field.optional else f"of type {field.type}"
            cause = f"the subject {subject} is {wrong} in {event_type.name}; it must be a required string"
            file.note(cause, key="subject")


def _money(file: Table, event_types: Mapping[str, EventType], expressions: ExpressionCheck) -> Money | None:
    if file.value("money") is None:
        if any(default.up_to is not None for each in event_types.values() for default in each.safe_default):
            file.note("safe_default compares amounts with up_to, but there is no [money]", "say what the amount is")
        return None
    table = file.table("money")
    scopes = [event_scope(each, event_types.values()) for each in event_types.values() if each.decide]
    checked = expressions.check(table, "amount", scopes, None, AMOUNT_ONLY)
    if any(each.type not in (Type.INT, Type.DOUBLE) for each in checked or ()):
        table.note("the amount must be a number", key="amount")
    money = Money(table.text("amount", default=""), table.whole("review_cost") or 0, table.number("margin") or 0.0)
    if money.review_cost < 0:
        table.note("review_cost must not be negative", key="review_cost")
    if not 0 <= money.margin <= 1:
        table.note("margin is a share: from 0 to 1", key="margin")
    table.close()
    return money
