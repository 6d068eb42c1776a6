"""Controls: rule sets that arrive while deciding goes on.

A new rule set is decoded, checked and compiled aside; then one reference changes. A bad one is
rejected loudly and the old one stays.
"""

import logging
from collections.abc import Callable, Iterable

import msgspec

from fraudbrain_shared.decisions import DecisionCore
from fraudbrain_shared.records import RuleSet
from fraudbrain_shared.scenario import Scenario, ScenarioError

LIVE_RULES = b"live"

log = logging.getLogger(__name__)


def own_rules(scenario: Scenario) -> RuleSet:
    """The rule set that stands in the scenario's folder: live until another is published."""
    return RuleSet(version=f"scenario-{scenario.version}", rules=scenario.rules, policy=scenario.policy)


class Controls:
    """The core that decides now. `compile_core` makes one of a rule set, or raises ScenarioError."""

    def __init__(self, first: RuleSet, compile_core: Callable[[RuleSet], DecisionCore]) -> None:
        self._compile = compile_core
        self._decode = msgspec.json.Decoder(RuleSet).decode
        self.core = compile_core(first)
        self.problems: tuple[str, ...] = ()

    def update(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """Takes records of the `rules` topic as (key, value); the last good one is live."""
        for key, value in records:
            if key == LIVE_RULES and value is not None:
                self._replace(value)

    def _replace(self, value: bytes) -> None:
        try:
            core = self._compile(self._decode(value))
        except (msgspec.MsgspecError, ScenarioError) as error:
            self.problems = (f"rule set rejected, {self.core.rule_set.version} stays: {error}",)
            log.error("%s", self.problems[0])
            return
        self.core = core
        self.problems = ()
        log.info("rule set %s is live", core.rule_set.version)
