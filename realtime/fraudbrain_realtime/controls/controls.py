"""The controls that act on an event: rules with policy, parameter values, context, and models.

Each record is checked and built aside; then one reference changes. A bad one is rejected loudly and what stood before
stays: nothing that a record holds can make anything here raise.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from fraudbrain_realtime.controls.preparation import Preparation, PreparationHere, Prepared, cause_of
from fraudbrain_realtime.controls.prepare import open_model, open_rules
from fraudbrain_realtime.controls.versions import Version, Versions
from fraudbrain_realtime.ports import ControlRecord, Message
from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.controls import Globals, ParameterBook, Release, Stretch, own_rules
from fraudbrain_shared.decisions import DecisionCore
from fraudbrain_shared.decisions.decide import PARAMETERS_PUT_AWAY
from fraudbrain_shared.features import ContextView, Profile
from fraudbrain_shared.features.reads import Reading
from fraudbrain_shared.models import Scorer
from fraudbrain_shared.newest import MOST_ENTITIES
from fraudbrain_shared.records import Decision, RuleSet, Source, rejection_of
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.scope import profile_reads
from fraudbrain_shared.topics import (
    CHALLENGER_MODEL,
    CHAMPION_MODEL,
    CONTROL_RECORD_BYTES,
    LIVE_RULES,
    MODEL_RECORD_BYTES,
)

T = TypeVar("T")

PROFILE_UNAVAILABLE: Final = "profile_unavailable"
"""Why a decision is degraded that was made without the subject's profile."""
KEPT_PROBLEMS = 5
"""Of each topic."""
PREPARED_WITHIN_S = 90.0
"""Longer than any preparation takes that is restarted as often as it may be."""
AWAITED_WITHIN_S = 15.0
"""How long an event waits for a version of the past. Longer: a worker that does not poll is put out of its group."""

_LACKING: Final = (PARAMETERS_PUT_AWAY,)

log = logging.getLogger(__name__)


class _Acting(NamedTuple):
    """What decides on events that were appended from `since` on and before `until`, UTC ms."""

    core: DecisionCore
    champion: Scorer | None
    challenger: Scorer | None
    parameters: Globals
    since: float
    until: float


class Controls:
    """Decides with what acts on each event.

    Rules, models and global parameters act by append time, exactly, each from the grace after its record on; what was
    read or ready too late acts from the next event on, and is counted. In a stepped replay the newest does, since the
    feed holds back what is for later steps. Context and parameters of entities act as they come.

    `compile_core` makes the core of the scenario's own rules; those that are published are prepared by `preparation`.
    """

    def __init__(
        self,
        scenario: Scenario,
        compile_core: Callable[[RuleSet], DecisionCore],
        preparation: Preparation | None = None,
        *,
        most_entities: int = MOST_ENTITIES,
    ) -> None:
        self._own = compile_core(own_rules(scenario))
        self._deadlines_ms = {name: kind.deadline_ms for name, kind in scenario.event_types.items()}
        self._nothing_read = (None,) * len(profile_reads(scenario))
        self._preparation = preparation or PreparationHere(scenario)
        self._rules: Versions[DecisionCore] = Versions(self._own)
        self._models: dict[bytes, Versions[Scorer | None]] = {
            CHAMPION_MODEL: Versions(None),
            CHALLENGER_MODEL: Versions(None),
        }
        self._parameters = ParameterBook(scenario, most_entities)
        self._context = ContextView(scenario, most_entities)
        self._fresh: list[Version[Any]] = []
        self._asked: dict[tuple[str, int], Version[Any]] = {}
        self._problems: dict[str, deque[str]] = {}
        self._counts: Counter[str] = Counter()
        self._take = {
            "rules": self._take_rules,
            "parameters": self._take_parameter,
            "context": self._take_context,
            "models": self._take_model,
        }
        self._decided_to = -inf
        self._newest: _Acting | None = None
        self._nothing = _Acting(self._own, None, None, self._parameters.globals_at(inf, Release()), inf, -inf)
        self._acting = self._nothing

    def decide(
        self,
        event: AdmittedEvent,
        profile: Profile,
        source: Source,
        message: Message,
        readings: Sequence[Reading] | None = None,
    ) -> Decision:
        """The decision on an event by the controls of its time; `readings` of its profile, if there are any yet."""
        acting = self._acting_on(message)
        return self._decide(acting.core, acting, event, profile, source, message, readings)

    def decide_without_profile(self, event: AdmittedEvent, subject: str, source: Source, message: Message) -> Decision:
        """The decision on an event whose subject's profile cannot be had: nothing is known of it."""
        acting, profile = self._acting_on(message), Profile(subject)
        decision = self._decide(
            acting.core.without_profile, acting, event, profile, source, message, self._nothing_read
        )
        return msgspec.structs.replace(decision, degraded=(*decision.degraded, PROFILE_UNAVAILABLE))

    def _acting_on(self, message: Message) -> _Acting:
        if message.step:
            self._newest = self._newest or self._look_up(inf)
            return self._newest
        if message.append_time > self._decided_to:
            self._decided_to = message.append_time
        return self._acting_at_time(message.append_time)

    def _acting_at_time(self, append_time: int) -> _Acting:
        acting = self._acting
        if not acting.since <= append_time < acting.until:
            acting = self._acting = self._look_up(append_time)
        return acting

    def versions_on(self, message: Message) -> dict[str, str]:
        """The versions that a decision on the message would name, for one that gets none."""
        acting = self._look_up(inf) if message.step else self._acting_at_time(message.append_time)
        return _versions(acting.core, acting.champion, acting.challenger)

    def _decide(
        self,
        core: DecisionCore,
        acting: _Acting,
        event: AdmittedEvent,
        profile: Profile,
        source: Source,
        message: Message,
        readings: Sequence[Reading] | None,
    ) -> Decision:
        now_ms = message.append_time if message.clock is None else message.clock
        parameters = self._parameters
        decision = core.decide(
            event,
            profile,
            source,
            context=self._context.read(event, now_ms),
            parameters=parameters.values_for(event, acting.parameters),
            champion=acting.champion,
            challenger=acting.challenger,
            readings=readings,
            degraded=_LACKING if parameters.put_away and parameters.is_partial(event) else (),
        )
        if message.polled_at - message.append_time > self._deadlines_ms[event.type] and not message.is_replayed:
            return msgspec.structs.replace(decision, overdue=True)
        return decision

    def update(self, record: ControlRecord) -> None:
        """Takes a record of a control topic, or rejects it: then all stays as it was. Never raises."""
        try:
            _refuse_unreadable(record)
            self._take[record.topic](record)
        except Exception as error:
            self._reject(record, cause_of(error))

    def settle(self) -> None:
        """Waits until the newest of what was taken is ready, and leaves what is older until an event asks for it."""
        self._fresh.clear()
        for line in self._lines:
            while not (newest := line.newest).is_ready and self._wait_for(newest, PREPARED_WITHIN_S):
                pass

    def poll(self) -> bool:
        """Without waiting: has prepared what was taken since, and takes what is ready. Whether anything ended."""
        for version in self._fresh:
            version.is_live = True
            self._ask(version)
        self._fresh.clear()
        return self._collect(0.0)

    @property
    def problems(self) -> tuple[str, ...]:
        """The last rejections of each topic, with their causes."""
        return tuple(problem for of_topic in self._problems.values() for problem in of_topic)

    @property
    def versions(self) -> dict[str, str]:
        """The newest of what decides, for progress and operators; it acts soon if not yet."""
        return _versions(self._rules.newest_value, *(line.newest_value for line in self._models.values()))

    @property
    def counts(self) -> dict[str, int]:
        """What an operator should know of, where it is not nothing."""
        away = {"context_put_away": self._context.put_away, "parameters_put_away": self._parameters.put_away}
        return {name: count for name, count in {**self._counts, **away}.items() if count}

    def unready_from(self, topic: str) -> int | None:
        """The offset of a topic's first record that is being prepared, if one is."""
        return min((offset for name, offset in self._asked if name == topic), default=None)

    def records(self) -> Iterator[ControlRecord]:
        """Records that, taken one after the other, make other controls what these are. May be read bit by bit while
        others come: what it misses is what comes meanwhile."""
        yield from [each.record for line in self._lines for each in line if each.record is not None]
        for key, value, append_time in self._parameters.records():
            yield ControlRecord("parameters", 0, key, value, append_time or 0)
        for key, state in self._context.records():
            yield ControlRecord("context", 0, key, state)

    @property
    def _lines(self) -> list[Versions[Any]]:
        return [*self._models.values(), self._rules]

    # What acts

    def _look_up(self, append_time: float) -> _Acting:
        core = self._acting_at(self._rules, append_time)
        champion, challenger = (self._acting_at(line, append_time) for line in self._models.values())
        release = Release() if champion.value is None else _release(champion.value)
        parameters = self._parameters.globals_at(append_time, release)
        all_of_them = (core, champion, challenger, parameters)
        return _Acting(
            core.value,
            champion.value,
            challenger.value,
            parameters,
            since=max(each.since for each in all_of_them),
            until=min(each.until for each in all_of_them),
        )

    def _acting_at(self, line: Versions[T], append_time: float) -> Stretch[T]:
        """One of the past that nobody asked for yet is waited for: it decides, however late its events are."""
        if append_time == inf:
            return Stretch(line.newest_value, -inf, inf)
        while not (found := line.at(append_time).value).is_ready and not found.is_asked:
            self._wait_for(found, AWAITED_WITHIN_S)
        return line.value_at(append_time)

    def _forget(self) -> None:
        """After a change the next event looks up what acts on it."""
        self._newest = None
        self._acting = self._nothing

    # What comes

    def _take_rules(self, record: ControlRecord) -> None:
        if record.key == LIVE_RULES:
            self._take_version(self._rules, record)

    def _take_model(self, record: ControlRecord) -> None:
        if record.key in self._models:
            self._take_version(self._models[record.key], record)

    def _take_version(self, line: Versions[T], record: ControlRecord) -> None:
        version = line.take(record)
        version.is_late = version.since <= self._decided_to
        self._forget()
        if version.is_ready:
            self._note_if_late(record, version.since)
            self._note_release()
        else:
            self._fresh.append(version)

    def _take_parameter(self, record: ControlRecord) -> None:
        since = self._parameters.update(record.key, record.value, record.append_time or None)
        if since > -inf:
            self._note_if_late(record, since)
            self._forget()

    def _take_context(self, record: ControlRecord) -> None:
        self._context.update(record.key, record.value)

    def _note_if_late(self, record: ControlRecord, since: float) -> None:
        if since <= self._decided_to:
            self._counts[f"{record.topic}_read_late"] += 1
            log.warning("%s/%d came too late: it acts from the next event on", record.topic, record.offset)

    def _reject(self, record: ControlRecord, cause: str) -> None:
        problem = f"{rejection_of(record.topic, record.offset)}{cause}"
        self._problems.setdefault(record.topic, deque(maxlen=KEPT_PROBLEMS)).append(problem)
        self._counts["controls_rejected"] += 1
        log.error("%s", problem)

    # What is prepared

    def _ask(self, version: Version[Any]) -> None:
        if version.record is not None:
            version.is_asked = True
            self._asked[version.record.topic, version.record.offset] = version
            self._preparation.submit(version.record)

    def _wait_for(self, version: Version[Any], within_s: float) -> bool:
        """Has a version prepared and waits for it; whether that came to an end in time."""
        deadline = time.monotonic() + within_s
        if not version.is_asked:
            self._ask(version)
        while version in self._asked.values():
            if time.monotonic() > deadline:
                log.error("a control is not ready after %.0f s; what was before it decides", within_s)
                return False
            self._collect(0.05)
        return True

    def _collect(self, wait_s: float) -> bool:
        ended = self._preparation.results(wait_s)
        for each in ended:
            version = self._asked.pop((each.record.topic, each.record.offset), None)
            if version is not None:
                self._end(version, each)
        if ended:
            self._note_release()
            self._forget()
        return bool(ended)

    def _end(self, version: Version[Any], prepared: Prepared) -> None:
        try:
            if prepared.made is None:
                raise ValueError(prepared.cause)
            version.value = self._opened(prepared.record, prepared.made)
            version.is_ready = True
        except Exception as error:
            for line in self._lines:
                line.remove(version)
            self._reject(prepared.record, cause_of(error))
            return
        if version.is_late or version.is_live:
            self._note_if_late(prepared.record, version.since)

    def _opened(self, record: ControlRecord, made: bytes) -> DecisionCore | Scorer:
        if record.topic == "rules":
            return open_rules(record.value or b"", made, self._own)
        return open_model(made, self._own.feature_names)

    def _note_release(self) -> None:
        """Parameters that come are judged by the newest release."""
        champion = self._models[CHAMPION_MODEL].newest_value
        self._parameters.release(*(Release() if champion is None else _release(champion)))


def _versions(core: DecisionCore, champion: Scorer | None, challenger: Scorer | None) -> dict[str, str]:
    models = {"model": champion, "challenger": challenger}
    scoring = {name: scorer.version for name, scorer in models.items() if scorer is not None}
    return {"rules": core.rule_set.version, **scoring}


def _release(champion: Scorer) -> Release:
    return Release(champion.version, champion.release.starting_values)


def _refuse_unreadable(record: ControlRecord) -> None:
    """The decoders pass over what they do not know, whatever bytes it is made of."""
    most = MODEL_RECORD_BYTES if record.topic == "models" else CONTROL_RECORD_BYTES
    if record.value is not None and len(record.value) > most:
        raise ValueError(f"{len(record.value):,} bytes; {most:,} are allowed")
    if record.value is not None and not record.value.isascii():
        record.value.decode()
