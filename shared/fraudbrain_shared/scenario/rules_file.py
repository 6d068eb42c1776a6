"""`rules.toml` and `policy.toml`: what is found, and what we do about it."""

from typing import cast

from fraudbrain_shared.records import ClauseText, Outcome, RuleText
from fraudbrain_shared.scenario.events_file import OUTCOMES
from fraudbrain_shared.scenario.table import Table


def read_rules(file: Table) -> list[tuple[RuleText, Table]]:
    """The rules as texts, each with the table it stands in; their expressions are not checked here."""
    rules = []
    for table in file.array("rule"):
        rules.append((RuleText(table.text("name"), table.text("when"), table.text("description", default="")), table))
        table.close()
    file.close()
    return rules


def read_policy(file: Table) -> list[tuple[ClauseText, Table]]:
    """The clauses of the policy as texts, each with the table it stands in."""
    clauses = []
    for table in file.array("outcome"):
        name = table.choice("name", OUTCOMES, what="outcome") or "review"
        when = table.text("when")
        on_unknown = table.choice("on_unknown", OUTCOMES, default="review", what="outcome") or "review"
        clauses.append((ClauseText(cast(Outcome, name), when, cast(Outcome, on_unknown)), table))
        table.close()
    file.close()
    return clauses
