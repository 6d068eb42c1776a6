"""A small, sound scenario as texts, to be broken in one place."""

from collections.abc import Mapping

from fraudbrain_shared.scenario import Problem, Scenario, ScenarioError
from fraudbrain_shared.scenario.parse import parse_scenario

SMALL: Mapping[str, str] = {
    "scenario.toml": """\
name = "small"
subject = "card_id"
[money]
amount = "event.amount"
review_cost = 300
margin = 0.02
""",
    "events.toml": """\
[payment]
decide = true
deadline = "50ms"
safe_default = [{ up_to = 5_000, outcome = "approve" }, { outcome = "review" }]
[payment.fields]
card_id = { type = "string", max_length = 8 }
terminal_id = { type = "string", entity = "terminal" }
amount = { type = "int", min = 0, max = 1_000_000 }
country = { type = "string", optional = true, max_length = 2 }

[login]
[login.fields]
card_id = { type = "string", max_length = 8 }
ok = { type = "bool" }
risk = { type = "double", min = 0.0, max = 1.0 }
""",
    "features.toml": """\
[profile.spend]
on = "payment"
value = "event.amount"
read = ["count", "sum", "mean", "last"]
window = "1d"
hop = "1h"
[profile.failures]
on = "login"
where = "!event.ok"
read = ["count", "seconds_since"]
window = "1h"
hop = "1m"
[derived]
twice = "derived.ratio * 2.0"
ratio = "double(event.amount) / profile.spend_mean"
""",
    "parameters.toml": """\
[limit]
type = "int"
default = 1_000
low = 10
high = 100_000
""",
    "rules.toml": """\
[[rule]]
name = "large"
when = "event.amount > param.limit"
[[rule]]
name = "unusual"
description = "Not what this card spends"
when = "derived.twice > 10.0"
[[rule]]
name = "abroad"
when = "event.country != 'ES'"
""",
    "policy.toml": """\
[[outcome]]
name = "decline"
when = "finding.large && finding.unusual"
on_unknown = "decline"
[[outcome]]
name = "review"
when = "score > 0.5"
""",
    "import.toml": """\
[payment]
event_id = "ID"
event_time = { column = "TIME", zone = "Europe/Madrid" }
[payment.fields]
card_id = "CARD"
terminal_id = { constant = "none" }
amount = { column = "AMOUNT", scale = 100 }
[payment.label]
fraud = "FRAUD"
""",
}

REFUND = """\
[refund]
decide = true
deadline = "1s"
safe_default = [{ outcome = "review" }]
[refund.fields]
card_id = { type = "string" }
amount = { type = "double" }
"""
"""A second type that is decided, to be added to the events."""


def changed(file: str, old: str, new: str) -> dict[str, str]:
    """The small scenario with `old`, which stands in it once, replaced."""
    assert SMALL[file].count(old) == 1, (file, old)
    return {**SMALL, file: SMALL[file].replace(old, new)}


def parse(files: Mapping[str, str]) -> Scenario:
    return parse_scenario({name: text.encode() for name, text in files.items()})


def problems_of(files: Mapping[str, str]) -> list[Problem]:
    try:
        parse(files)
    except ScenarioError as error:
        return list(error.problems)
    return []
