"""`scenario.toml`: what the scenario is called, whose history is kept, and what errors cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.scenario.description import EventType, Holdout, Money
from fraudbrain_shared.scenario.expression_check import AMOUNT_ONLY, ExpressionCheck
from fraudbrain_shared.scenario.kinds import EXPRESSION, SENTENCE, SHARE, TEXT, number, table_of, whole
from fraudbrain_shared.scenario.names import fault_of_scenario_name
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.scope import event_scope
from fraudbrain_shared.scenario.table import Table, allowed, defaulting, required


class MoneyTable(Table):
    """What errors cost, in minor units of the currency."""

    amount = required(EXPRESSION, "What an event is about, a number; read from its fields only.", '"event.amount"')
    review_cost = required(whole(low=0), "What it costs to have a person look at an event.", "300")
    margin = required(number(0, 1), "The share of the amount that is lost on a good event declined.", "0.02")


class HoldoutTable(Table):
    """Would-be declines that are let through for learning, chosen by a hash of the event's id."""

    share = required(SHARE, "How many of them.", "0.01")
    cap = allowed(whole(low=0), "Only those whose amount is at most this.", "20_000", default="any amount")


class ScenarioFile(Table):
    """What the scenario is called, and whose history the fast tier keeps."""

    name = required(TEXT, "Its name, which stands in the names of topics and tables.", '"cards"')
    subject = required(
        TEXT,
        "The field whose value keys the events, and by which profiles are kept: a required string of every type.",
        '"card_id"',
    )
    description = defaulting(SENTENCE, "", "One sentence for people.", '"Card payments at terminals"', default="none")
    money = allowed(table_of(MoneyTable), "What errors cost.", "")
    holdout = allowed(table_of(HoldoutTable), "What is let through for learning.", "")


@dataclass(frozen=True, slots=True)
class Head:
    """What `scenario.toml` says."""

    name: str
    subject: str
    description: str
    money: Money | None
    holdout: Holdout | None


def read_head(file: ScenarioFile, event_types: Mapping[str, EventType], expressions: ExpressionCheck) -> Head:
    """The scenario's head; `event_types` is empty if they could not be read."""
    if file.name and (fault := fault_of_scenario_name(file.name)):
        file.note(fault, key="name")
    if file.subject:
        _check_subject(file, file.subject, event_types)
    money = _money(file, event_types, expressions)
    return Head(file.name or "", file.subject or "", file.description, money, _holdout(file, money))


def _check_subject(file: ScenarioFile, subject: str, event_types: Mapping[str, EventType]) -> None:
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


def _money(file: ScenarioFile, event_types: Mapping[str, EventType], expressions: ExpressionCheck) -> Money | None:
    table = file.money
    if table is None:
        if any(default.up_to is not None for each in event_types.values() for default in each.safe_default):
            file.note("safe_default compares amounts with up_to, but there is no [money]", "say what the amount is")
        return None
    scopes = [event_scope(each, event_types.values()) for each in event_types.values() if each.decide]
    checked = expressions.check(table.amount, scopes, None, AMOUNT_ONLY)
    if any(each.type not in (Type.INT, Type.DOUBLE) for each in checked or ()):
        table.note("the amount must be a number", key="amount")
    return Money(table.amount.text if table.amount else "", table.review_cost or 0, table.margin or 0.0)


def _holdout(file: ScenarioFile, money: Money | None) -> Holdout | None:
    table = file.holdout
    if table is None:
        return None
    if table.cap is not None and money is None:
        table.note("cap compares amounts, but there is no [money]", "say what the amount is", key="cap")
    return Holdout(table.share or 0.0, table.cap)
