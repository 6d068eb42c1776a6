"""The controls that act now: rules with policy, parameter values, context, and the champion.

Each record is decoded and checked aside; then one reference changes. A bad one is rejected loudly and
what stood before stays.
"""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from fraudbrain_realtime.controls.live_rules import Compile, LiveRules
from fraudbrain_realtime.ports import ControlRecord, Message
from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.controls import ParameterBook, own_rules
from fraudbrain_shared.decisions import DecisionCore
from fraudbrain_shared.features import ContextView, Profile
from fraudbrain_shared.features.reads import Reading
from fraudbrain_shared.models import ReleaseError, Scorer, load_scorer
from fraudbrain_shared.records import Decision, RuleSet, Source, rejection_of
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.scope import profile_reads
from fraudbrain_shared.topics import CHALLENGER_MODEL, CHAMPION_MODEL, LIVE_RULES

KEPT_PROBLEMS = 5
PROFILE_UNAVAILABLE: Final = "profile_unavailable"
"""Why a decision is degraded that was made without the subject's profile."""

log = logging.getLogger(__name__)


class Controls:
    """Decides with what acts now.

    Rules act by append time, exactly; in a stepped replay the newest does, since the feed holds back
    what is for later steps. Parameters, context and champion act from the next event on.
    """

    def __init__(self, scenario: Scenario, compile_core: Compile, compile_without_profile: Compile) -> None:
        self._rules = LiveRules(own_rules(scenario), compile_core, self._reject)
        self._compile_without_profile = compile_without_profile
        self._without_profile: DecisionCore | None = None
        self._nothing_read = (None,) * len(profile_reads(scenario))
        self._feature_names = self._rules.newest().feature_names
        self._bounds = scenario.parameters
        self._parameters = ParameterBook(scenario)
        self._context = ContextView(scenario)
        self._champion: Scorer | None = None
        self._challenger: Scorer | None = None
        self.problems: tuple[str, ...] = ()
        self._take = {
            "rules": self._take_rules,
            "parameters": self._take_parameter,
            "context": self._take_context,
            "models": self._take_model,
        }

    def decide(
        self,
        event: AdmittedEvent,
        profile: Profile,
        source: Source,
        message: Message,
        readings: Sequence[Reading] | None = None,
    ) -> Decision:
        """The decision on an event by the controls as they are; `readings` of its profile, if there are any yet."""
        return self._decide(self._core_at(message), event, profile, source, message, readings)

    def decide_without_profile(self, event: AdmittedEvent, subject: str, source: Source, message: Message) -> Decision:
        """The decision on an event whose subject's profile cannot be had: nothing is known of it."""
        core = self._core_without_profile(self._core_at(message).rule_set)
        decision = self._decide(core, event, Profile(subject), source, message, self._nothing_read)
        return msgspec.structs.replace(decision, degraded=(*decision.degraded, PROFILE_UNAVAILABLE))

    def _core_at(self, message: Message) -> DecisionCore:
        return self._rules.newest() if message.step else self._rules.at(message.append_time)

    def _core_without_profile(self, rule_set: RuleSet) -> DecisionCore:
        core = self._without_profile
        if core is None or core.rule_set is not rule_set:
            core = self._without_profile = self._compile_without_profile(rule_set)
        return core

    def _decide(
        self,
        core: DecisionCore,
        event: AdmittedEvent,
        profile: Profile,
        source: Source,
        message: Message,
        readings: Sequence[Reading] | None,
    ) -> Decision:
        now_ms = message.append_time if message.clock is None else message.clock
        return core.decide(
            event,
            profile,
            source,
            context=self._context.read(event, now_ms),
            parameters=self._parameters.values_for(event),
            champion=self._champion,
            challenger=self._challenger,
            readings=readings,
        )

    def update(self, record: ControlRecord) -> None:
        """Takes a record of a control topic, or rejects it: then all stays as it was."""
        try:
            self._take[record.topic](record)
        except (ValueError, ReleaseError) as error:  # msgspec's and a refused parameter are ValueErrors
            self._reject(record, error)

    def settle(self) -> None:
        """Makes ready what was taken, so that no event waits for it; a rule set may be rejected only here."""
        self._rules.settle()
        self._core_without_profile(self._rules.newest().rule_set)

    @property
    def versions(self) -> dict[str, str]:
        """The newest of what decides, for progress and operators; rules act soon if not yet."""
        models = {"model": self._champion, "challenger": self._challenger}
        scoring = {name: scorer.version for name, scorer in models.items() if scorer is not None}
        return {"rules": self._rules.newest().rule_set.version, **scoring}

    @property
    def counts(self) -> dict[str, int]:
        """What an operator should know of, where it is not nothing."""
        return {"rules_read_late": self._rules.read_late} if self._rules.read_late else {}

    def _reject(self, record: ControlRecord, error: Exception) -> None:
        problem = f"{rejection_of(record.topic, record.offset)}{error}"
        self.problems = (*self.problems, problem)[-KEPT_PROBLEMS:]
        log.error("%s", problem)

    def _take_rules(self, record: ControlRecord) -> None:
        if record.key == LIVE_RULES:
            self._rules.take(record)

    def _take_parameter(self, record: ControlRecord) -> None:
        self._parameters.update(record.key, record.value)

    def _take_context(self, record: ControlRecord) -> None:
        self._context.update(record.key, record.value)

    def _take_model(self, record: ControlRecord) -> None:
        """A release, or None that takes it back. Thresholds on the score follow the champion."""
        if record.key not in (CHAMPION_MODEL, CHALLENGER_MODEL):
            return
        scorer = None
        if record.value is not None:
            scorer = load_scorer(record.value, self._feature_names, self._bounds)
        if record.key == CHALLENGER_MODEL:
            self._challenger = scorer
        elif scorer is None:
            self._champion = None
            self._parameters.release(None, {})
        else:
            self._parameters.release(scorer.version, scorer.release.starting_values)
            self._champion = scorer
        log.info("%s is %s", record.key.decode(), "none" if scorer is None else f"model {scorer.version}")
