"""The small scenario with what the slow tier needs: context of terminals, and parameters that move."""

from tests.unit.scenario.small import SMALL

CONTEXT = """\
[context.terminal.fraud]
on = "label"
where = "label.fraud"
value = "event.amount"
read = ["count", "sum", "last", "seconds_since"]
window = "28d"
hop = "1d"
[context.terminal.busy]
on = "payment"
read = ["count"]
window = "1h"
hop = "5m"
stale_after = "5s"
"""
PARAMETERS = """\
[terminal_limit]
per = "terminal_id"
type = "int"
default = 50_000
low = 500
high = 100_000
tuner = { kind = "rate", of = "label", window = "28d", min_count = 5, target = 0.01 }
every = "1d"
max_step = 0.5
expires = "7d"
[surge_factor]
per = "terminal_id"
type = "double"
default = 4.0
low = 1.0
high = 10.0
every = "1m"
max_step_abs = 1.5
expires = "2h"
[surge_factor.tuner]
kind = "surge"
on = "payment"
window = "1h"
baseline = "7d"
probability = 1e-6
min_count = 5
factor = 0.5
[review_score]
type = "double"
default = 0.5
low = 0.05
high = 0.95
scale = "score"
tuner = { kind = "budget", share = 0.1, window = "2h", min_count = 10 }
max_step = 0.25
min_interval = "2h"
expires = "1d"
"""
RULES = """\
[[rule]]
name = "risky_terminal"
when = "context.terminal_id.fraud_count > 0"
[[rule]]
name = "over_limit"
when = "event.amount > param.terminal_limit && derived.storm > 2.0"
"""

CLOSING = {
    **SMALL,
    "features.toml": SMALL["features.toml"].replace(
        "[derived]\n", f'{CONTEXT}[derived]\nstorm = "double(context.terminal_id.busy_count)"\n'
    ),
    "parameters.toml": SMALL["parameters.toml"] + PARAMETERS,
    "rules.toml": SMALL["rules.toml"] + RULES,
}


def closing_with(file: str, old: str, new: str) -> dict[str, str]:
    """That scenario with `old`, which stands in it once, replaced."""
    assert CLOSING[file].count(old) == 1, (file, old)
    return {**CLOSING, file: CLOSING[file].replace(old, new)}
