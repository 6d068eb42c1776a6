"""The engine on a stream, as a worker runs it, without broker and store: whole, and stage by stage."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Final

import msgspec

from fraudbrain_deploy.bench.core.stream import T0, history
from fraudbrain_deploy.bench.rules.cases import EVENTS
from fraudbrain_deploy.load.stream import StreamEvent, subject_name
from fraudbrain_shared.admission import Admission, AdmittedEvent, Rejected
from fraudbrain_shared.controls import ParameterBook, own_rules
from fraudbrain_shared.decisions import DecisionCore, DecisionEncoder, Origin
from fraudbrain_shared.decisions.application import Application
from fraudbrain_shared.features import (
    ContextFold,
    ContextView,
    EntityStates,
    Profile,
    ProfileFold,
    WarmProfiles,
    encode_profile,
    hash64,
    recall,
    remember,
)
from fraudbrain_shared.features.reads import Reading
from fraudbrain_shared.models import Scorer
from fraudbrain_shared.records import ContextClock, Decision, Scores, Source
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.topics import clock_key, context_key

STAGES: Final = ("decode", "controls", "features", "score", "rules", "record", "fold", "encode")
"""What happens to an event, in order.

`decode` admits it and finds its profile, `controls` reads context and parameters, `features` reads the profile, derives
and makes the numbers that are logged, `score` asks the champion, `rules` are findings, clauses and outcome, `record`
is the decision as a record, `fold` knows duplicates, folds the event into the profile and remembers it, `encode` makes
the decision's bytes.
"""

EVENTS_EACH: Final = 5
_DAYS: Final = 20
_LIVES: Final = 500
_JOB: Final = "bench"
_WARM: Final = 5_000  # as many profiles as a worker keeps unpacked, if they have anything to unpack
_TOGETHER: Final = 64  # as many as a worker takes from the broker at once

Clock = Callable[[], float]
"""Seconds of something; only differences count."""


class Engine:
    """A worker's core with the profiles of `subjects`, each with a short history, as after a flush.

    Its work per event is a worker's: admission, the lookup of the profile, context, parameters, decision, duplicate
    check, fold and the decision's bytes.
    """

    def __init__(self, scenario: Scenario, subjects: int, champion: Scorer | None = None) -> None:
        self._fold = ProfileFold(scenario)
        self._admission = Admission(scenario)
        self._application = Application(scenario, self._fold)
        self._core = DecisionCore(scenario, own_rules(scenario), Origin("a", 1, "bench"), self._fold)
        self._context = context_of_events(scenario)
        self._parameters = ParameterBook(scenario)
        self._champion = champion
        if champion is not None:
            self._parameters.release(champion.version, champion.release.starting_values)
        self._encode = DecisionEncoder().encode
        self.profiles = profiles_at_rest(scenario, self._fold, subjects)
        self._warm = WarmProfiles(_WARM)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What the features of its decisions are called, in their order."""
        return self._core.feature_names

    def rest(self, events: Sequence[StreamEvent]) -> None:
        """Encodes the profiles of the events as a flush does."""
        touched = dict.fromkeys(event.key.decode() for event in events)
        self._warm.flush(self.profiles[subject] for subject in touched)

    def whole(self, events: Sequence[StreamEvent]) -> list[bytes]:
        """The encoded decisions on the events."""
        profiles, parameters, context, champion = self.profiles, self._parameters, self._context, self._champion
        admit, find, apply, decide = (
            self._admission.admit,
            self._admission.subject,
            self._application.apply,
            self._core.decide,
        )
        encode, made = self._encode, []
        for offset, (key, value, time) in enumerate(events):
            admitted = admit(value, key, time)
            if isinstance(admitted, Rejected):
                raise ValueError(admitted.detail)
            profile = profiles[find(admitted)]
            source = Source(1, 0, offset, time)
            ending = apply(
                profile,
                admitted,
                value,
                lambda event, before, readings, source=source: decide(  # type: ignore[misc]
                    event,
                    before,
                    source,
                    context=context.read(event, T0),
                    parameters=parameters.values_for(event),
                    champion=champion,
                    readings=readings,
                ),
            )
            if not isinstance(ending, Decision):
                raise ValueError(f"an event of the stream ended as {ending}")
            made.append(encode(ending))
        return made

    def stages(self, events: Sequence[StreamEvent], clock: Clock) -> tuple[dict[str, float], list[bytes]]:
        """Seconds of each of `STAGES` over all events, and the encoded decisions; each stage on 64 events at a time.

        A subject that comes twice among 64 is read as of before the first: its decision may be another than the whole
        gives, what it costs and the profile afterwards are the same.
        """
        seconds, made = dict.fromkeys(STAGES, 0.0), []
        for start in range(0, len(events), _TOGETHER):
            times = [clock()]
            made += self._staged(events[start : start + _TOGETHER], lambda times=times: times.append(clock()))  # type: ignore[misc]
            for stage, (begun, ended) in zip(STAGES, pairwise(times), strict=True):
                seconds[stage] += ended - begun
        return seconds, made

    def _staged(self, events: Sequence[StreamEvent], done: Callable[[], None]) -> list[bytes]:
        core, champion, fold, profiles = self._core, self._champion, self._fold, self.profiles
        admit, find = self._admission.admit, self._admission.subject
        admitted = [admit(value, key, time) for key, value, time in events]
        taken = [(event, profiles[find(event)]) for event in admitted if not isinstance(event, Rejected)]
        done()
        read, values_for = self._context.read, self._parameters.values_for
        given = [(read(event, T0), values_for(event)) for event, _ in taken]
        done()
        readings = [fold.read(profile, event) for event, profile in taken]
        derived = [
            core.features(event, values, context)
            for (event, _), values, (context, _) in zip(taken, readings, given, strict=True)
        ]
        done()
        scores = [None if champion is None else champion.score(features) for _, features in derived]
        done()
        judged = [
            core.judge(event, values, context, own, parameters, score)
            for (event, _), (context, parameters), values, (own, _), score in zip(
                taken, given, readings, derived, scores, strict=True
            )
        ]
        done()
        versions = core.versions_with
        decisions = [
            core.record(
                event,
                profile,
                Source(1, 0, offset, event.event_time),
                features,
                judgement,
                context,
                parameters,
                versions(champion),
                Scores(score),
            )
            for offset, ((event, profile), (context, parameters), (_, features), judgement, score) in enumerate(
                zip(taken, given, derived, judged, scores, strict=True)
            )
        ]
        done()
        for (event, profile), values, (_, payload, _) in zip(taken, readings, events, strict=True):
            fold_new(fold, profile, event, payload, values)
        done()
        encode = self._encode
        made = [encode(decision) for decision in decisions]
        done()
        return made

    def admitted(self, events: Sequence[StreamEvent]) -> list[tuple[AdmittedEvent, Profile, bytes]]:
        """The events with their profiles and payloads, ready for `update`."""
        found = []
        for key, value, time in events:
            event = self._admission.admit(value, key, time)
            if isinstance(event, Rejected):
                raise ValueError(event.detail)
            found.append((event, self.profiles[self._admission.subject(event)], value))
        return found

    def update(self, taken: Sequence[tuple[AdmittedEvent, Profile, bytes]]) -> None:
        """Reads the features of each event from its profile, and folds it unless it is a duplicate."""
        fold = self._fold
        for event, profile, payload in taken:
            fold_new(fold, profile, event, payload, fold.read(profile, event))


def fold_new(
    fold: ProfileFold, profile: Profile, event: AdmittedEvent, payload: bytes, readings: Sequence[Reading]
) -> None:
    """Folds an event as `Application` does: unless it came before."""
    event_id, hashed = hash64(event.event_id.encode()), hash64(payload)
    if recall(profile, event_id) is None:
        fold.fold(profile, event, readings)
        remember(profile, event_id, hashed, event.event_time)


def profiles_at_rest(scenario: Scenario, fold: ProfileFold, subjects: int) -> dict[str, Profile]:
    """Profiles that have seen `EVENTS_EACH` events over twenty days, by subject.

    So many lives are folded as suffice; subjects have them in turn, each with bytes of its own.
    """
    random, admission = Random(3), Admission(scenario)
    lives = [_lived(scenario, admission, fold, random) for _ in range(min(subjects, _LIVES))]
    profiles = {}
    for number in range(subjects):
        life = lives[number % len(lives)]
        subject = subject_name(number)
        profiles[subject] = Profile(
            subject,
            epoch=1,
            last_applied=number,
            clock=life.clock,
            remembered=bytes(bytearray(life.remembered)),
            flat=bytes(bytearray(life.flat)),
            packed=life.packed,
        )
    return profiles


def _lived(scenario: Scenario, admission: Admission, fold: ProfileFold, random: Random) -> Profile:
    profile = Profile(subject_name(0))
    for key, value, time in history(scenario, EVENTS_EACH, _DAYS, random):
        event = admission.admit(value, key, time)
        assert not isinstance(event, Rejected), event
        fold_new(fold, profile, event, value, ())
    encode_profile(profile)
    return profile


def context_of_events(scenario: Scenario) -> ContextView:
    """The context of a worker that has read these records, as of `T0`."""
    view = ContextView(scenario)
    for key, value in context_records(scenario, T0):
        view.update(key, value)
    return view


def context_records(scenario: Scenario, clock: int) -> Iterator[tuple[bytes, bytes]]:
    """What a slow tier that has seen the committed events publishes of their merchants and devices; its clock, UTC ms,
    comes last."""
    fold, admission = ContextFold(scenario), Admission(scenario)
    states: dict[tuple[str, str], EntityStates] = {}
    for line in EVENTS.read_bytes().splitlines():
        subject: str = msgspec.json.decode(line)["fields"][scenario.subject]
        event = admission.admit(line, subject.encode(), 2**62)
        assert not isinstance(event, Rejected), event
        for each in fold.of_event(event):
            own = states.setdefault((each.entity, each.id), {})
            fold.add(own, each)
    for (entity, id_), own in states.items():
        yield context_key(entity, id_), msgspec.json.encode(fold.record(entity, id_, own))
    yield clock_key(_JOB), msgspec.json.encode(ContextClock(_JOB, clock))
