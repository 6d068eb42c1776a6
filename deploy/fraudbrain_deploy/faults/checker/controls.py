"""Which rule sets and parameter values were valid, and from when on they act."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from fraudbrain_deploy.faults.checker.conditions import Condition, condition
from fraudbrain_deploy.faults.checker.evidence import Record

GRACE_MS: Final = 2_000
READ_LATE_MS: Final = 60_000
"""A worker that was away or stopped may decide for so long by the rules before: it must count that, and may."""
LIMIT_BY_DEFAULT: Final = 500_000


class Verdict(NamedTuple):
    """What rules and policy make of an event."""

    outcome: str
    findings: list[str]
    unknown: list[str]


class Rules:
    """A published rule set."""

    def __init__(self, published: Mapping[str, Any]) -> None:
        self._rules: dict[str, Condition] = {rule["name"]: condition(rule["when"]) for rule in published["rules"]}
        self._policy = [(clause["name"], condition(clause["when"])) for clause in published["policy"]]

    def verdict(self, values: Mapping[str, Any]) -> Verdict:
        """What is found; the policy reads findings only, which are true or false."""
        raised = {name: when(values) for name, when in self._rules.items()}
        findings = {f"finding.{name}": value is True for name, value in raised.items()}
        outcome = next((name for name, when in self._policy if when(findings)), "approve")
        fired = [name for name, value in raised.items() if value is True]
        return Verdict(outcome, fired, [name for name, value in raised.items() if value is None])


class Controls:
    """The records of `rules` and `parameters` that the campaign knows to be good. All others must never act."""

    def __init__(self, rules: Sequence[Record], parameters: Sequence[Record]) -> None:
        published = [(record, msgspec.json.decode(record.value or b"")) for record in rules]
        self.rules = {each["version"]: Rules(each) for _, each in published}
        self._acts_ms = [record.append_ms + GRACE_MS for record, _ in published]
        self._versions = [str(each["version"]) for _, each in published]
        self._limits = [(0, LIMIT_BY_DEFAULT), *((each.append_ms, _limit(each)) for each in parameters)]

    def acts(self, version: str, append_ms: int) -> bool:
        """Whether a rule set decides on events of that append time; before the first, its own scenario's do."""
        return version == self._versions[max(0, bisect_right(self._acts_ms, append_ms) - 1)]

    def acted_lately(self, version: str, append_ms: int) -> bool:
        """Whether it did until a short time before."""
        last = max(0, bisect_right(self._acts_ms, append_ms) - 1)
        return any(
            self._versions[place] == version and append_ms - self._acts_ms[place + 1] < READ_LATE_MS
            for place in range(last)
        )

    def limit_was_given(self, value: Any, decided_ms: int) -> bool:
        """Whether the parameter `amount_limit` could have had this value by then."""
        return any(value == limit for append_ms, limit in self._limits if append_ms <= decided_ms)


def _limit(record: Record) -> int:
    """A pin sets the value; taken back, the default holds again."""
    if record.value is None:
        return LIMIT_BY_DEFAULT
    return int(msgspec.json.decode(record.value)["value"])
