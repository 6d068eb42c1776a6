"""The controls that act now: rules with policy, parameter values, context, and the champion.

Each record is decoded and checked aside; then one reference changes. A bad one is rejected loudly and
what stood before stays.
"""

import logging
from collections.abc import Callable

import msgspec

from fraudbrain_realtime.ports import ControlRecord, Message
from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.controls import ParameterBook
from fraudbrain_shared.decisions import DecisionCore
from fraudbrain_shared.features import ContextView, Profile
from fraudbrain_shared.models import ReleaseError, Scorer, load_scorer
from fraudbrain_shared.records import Decision, RuleSet, Source
from fraudbrain_shared.scenario import Scenario, ScenarioError

LIVE_RULES = b"live"
CHAMPION = b"champion"
KEPT_PROBLEMS = 5

log = logging.getLogger(__name__)


def own_rules(scenario: Scenario) -> RuleSet:
    """The rule set that stands in the scenario's folder: live until another is published."""
    return RuleSet(version=f"scenario-{scenario.version}", rules=scenario.rules, policy=scenario.policy)


class Controls:
    """Decides with what acts now. `compile_core` makes a core of a rule set, or raises ScenarioError."""

    def __init__(self, scenario: Scenario, compile_core: Callable[[RuleSet], DecisionCore]) -> None:
        self._compile = compile_core
        self._own_rules = own_rules(scenario)
        self._decode_rules = msgspec.json.Decoder(RuleSet).decode
        self._core = compile_core(self._own_rules)
        self._bounds = scenario.parameters
        self._parameters = ParameterBook(scenario)
        self._context = ContextView(scenario)
        self._champion: Scorer | None = None
        self.problems: tuple[str, ...] = ()
        self._take = {
            "rules": self._take_rules,
            "parameters": self._take_parameter,
            "context": self._take_context,
            "models": self._take_model,
        }

    def decide(self, event: AdmittedEvent, profile: Profile, source: Source, message: Message) -> Decision:
        """The decision on an event by the controls as they are."""
        now_ms = message.append_time if message.clock is None else message.clock
        return self._core.decide(
            event,
            profile,
            source,
            context=self._context.read(event, now_ms),
            parameters=self._parameters.values_for(event),
            champion=self._champion,
        )

    def update(self, record: ControlRecord) -> None:
        """Takes a record of a control topic, or rejects it: then all stays as it was."""
        try:
            self._take[record.topic](record)
        except (ValueError, ScenarioError, ReleaseError) as error:  # msgspec's and a refused parameter are ValueErrors
            problem = f"{record.topic}/{record.offset} rejected: {error}"
            self.problems = (*self.problems, problem)[-KEPT_PROBLEMS:]
            log.error("%s", problem)

    @property
    def versions(self) -> dict[str, str]:
        """What decides now, for progress and operators."""
        model = {} if self._champion is None else {"model": self._champion.version}
        return {"rules": self._core.rule_set.version, **model}

    def _take_rules(self, record: ControlRecord) -> None:
        if record.key != LIVE_RULES:
            return
        rules = self._own_rules if record.value is None else self._decode_rules(record.value)
        self._core = self._compile(rules)
        log.info("rule set %s is live", rules.version)

    def _take_parameter(self, record: ControlRecord) -> None:
        self._parameters.update(record.key, record.value)

    def _take_context(self, record: ControlRecord) -> None:
        self._context.update(record.key, record.value)

    def _take_model(self, record: ControlRecord) -> None:
        if record.key != CHAMPION:
            return
        if record.value is None:
            self._champion = None
            self._parameters.release(None, {})
            return
        champion = load_scorer(record.value, self._core.feature_names, self._bounds)
        self._parameters.release(champion.version, champion.release.starting_values)
        self._champion = champion
        log.info("model %s is live", champion.version)
