"""`rules.toml` and `policy.toml`: what is found, and what we do about it."""

from typing import cast

from fraudbrain_shared.records import ClauseText, Outcome, RuleText
from fraudbrain_shared.scenario.events_file import OUTCOMES
from fraudbrain_shared.scenario.kinds import EXPRESSION, SENTENCE, TEXT, array_of, choice
from fraudbrain_shared.scenario.table import Table, defaulting, inside, required


class RuleTable(Table):
    """A named condition; where it holds the decision has a finding of that name, which the policy reads. One that
    is unknown or in error does not fire, and is counted."""

    name = required(TEXT, "Its name, and that of its finding: `finding.<name>`.", '"burst_of_payments"')
    when = required(
        EXPRESSION,
        "When it holds: reads event, profile, context, derived features and parameters.",
        '"profile.spend_1d_count >= param.day_count_limit"',
    )
    description = defaulting(
        SENTENCE, "", "One sentence for the analyst.", '"More payments in a day than people make"', default="none"
    )


class RulesFile(Table):
    """What is found. Rules are published hot, without a new release of the scenario."""

    rule = inside(array_of(RuleTable), "The rules.")


class OutcomeTable(Table):
    """A clause of the policy; the first that holds decides, else the outcome is `approve`."""

    name = required(choice(OUTCOMES, "outcome"), "The outcome.", '"decline"')
    when = required(
        EXPRESSION,
        "When it applies: reads all that a rule does, `finding.<rule>` and `score`. While no model was ever "
        "published, clauses that read the score do not apply.",
        '"finding.burst_of_payments || score >= param.decline_score"',
    )
    on_unknown = defaulting(
        choice(OUTCOMES, "outcome"),
        "review",
        "The outcome where that cannot be known; the decision is then degraded.",
        '"review"',
    )


class PolicyFile(Table):
    """What we do about it."""

    outcome = inside(array_of(OutcomeTable), "The clauses, in order.")


def read_rules(file: RulesFile) -> list[tuple[RuleText, Table]]:
    """The rules as texts, each with the table it stands in; their expressions are not checked here."""
    return [
        (RuleText(each.name or "", each.when.text if each.when else "", each.description), each) for each in file.rule
    ]


def read_policy(file: PolicyFile) -> list[tuple[ClauseText, Table]]:
    """The clauses of the policy as texts, each with the table it stands in."""
    return [(_clause(each), each) for each in file.outcome]


def _clause(table: OutcomeTable) -> ClauseText:
    name, on_unknown = cast(Outcome, table.name or "review"), cast(Outcome, table.on_unknown)
    return ClauseText(name, table.when.text if table.when else "", on_unknown)
