"""How events are folded into profiles, and features read from them as of just before an event."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any, Final

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.features.compiled_folds import Step, compile_folds, expressions_of
from fraudbrain_shared.features.compiled_reads import ReadAll, compile_reads
from fraudbrain_shared.features.keeper import TAG, Keeper, State
from fraudbrain_shared.features.last_values import KeptValues
from fraudbrain_shared.features.profile import Profile, States, layout_of, unpacked
from fraudbrain_shared.features.reads import Reading
from fraudbrain_shared.features.remembered import remembered_together
from fraudbrain_shared.features.shared_hops import SharedHops
from fraudbrain_shared.features.within import WithinKey
from fraudbrain_shared.scenario.description import EventType, ProfileFeature, Scenario, Within
from fraudbrain_shared.scenario.feature_functions import (
    compile_fold_derived,
    compile_keys,
    folds_read,
)
from fraudbrain_shared.scenario.profile_state import StateShape, state_shapes

BEGINNING: Final = 0
"""The beginning of time, UTC ms: no event is before it."""


class ProfileFold:
    """How a scenario folds events into profiles and reads features from them. Holds no data.

    `since` says for features, by id, from which time on their records are folded, UTC ms; without it from the
    beginning of time. What reaches back beyond is unknown when read. Where folds read the profile, `beginning_at` makes
    the scenario expect that.
    """

    def __init__(self, scenario: Scenario, since: Mapping[str, int] | None = None) -> None:
        features = list(scenario.profile.values())
        later = {id_: time for id_, time in (since or {}).items() if time > BEGINNING}
        shapes = state_shapes(features)
        self._keepers = [_keeper(shape) for shape in shapes]
        self._places = {shape.tag: place for place, shape in enumerate(shapes)}
        if len(self._places) < len(shapes):
            raise ValueError("two states have one tag: change the text of an expression a little")
        self._layout = layout_of([keeper.form for keeper in self._keepers])
        self._read_all = compile_reads(features, shapes, later)
        self._types = {
            name: _TypeFold(scenario, event_type, shapes, self._keepers)
            for name, event_type in scenario.event_types.items()
        }

    def read(self, profile: Profile, event: AdmittedEvent) -> tuple[Reading, ...]:
        """The profile's features as of just before an event, in the scenario's order. Changes nothing.

        Windows end at the profile's clock or at the event's time, whichever is later.
        """
        states = profile.states
        if states is None:
            states = self._unpack(profile)
        time = event.event_time
        now = profile.clock if profile.clock > time else time
        keys = self._types[event.type].keys
        if keys is None:
            return self._read_all(states.kept, now, ())
        return keys.read(self._read_all, states.kept, now, event)

    def fold(self, profile: Profile, event: AdmittedEvent, readings: Sequence[Reading] | None = None) -> None:
        """Adds the event to the profile. A late event enters its own hop if that is kept.

        `readings` are what was read for the event; they save reading it again where what is folded depends on it.
        """
        of_type = self._types[event.type]
        time = event.event_time
        derived: Sequence[object] = ()
        if of_type.derived is not None:
            readings = self.read(profile, event) if readings is None else readings
            derived = of_type.derived(event.fields, time, readings)
        states = profile.states
        if states is None:
            states = self._unpack(profile)
        clock = profile.clock
        if time > clock:
            clock = profile.clock = time
        late = of_type.fold_all(event.fields, time, readings or (), derived, states.kept, clock)
        if late:
            profile.late_dropped += late

    def joined(self, left: Profile, right: Profile) -> Profile:
        """The profile of two histories of a subject, of which the right one is later in the log. Changes neither.

        It reads as if all had been folded in one go, up to the rounding of doubles; only a late event that brings
        another key than `within` had is not known to be late where the right part begins.
        """
        clock = max(left.clock, right.clock)
        states: list[State | None] = []
        both = zip(self._keepers, self._copied(left), self._copied(right), strict=True)
        for keeper, one, other in both:
            states.append(other if one is None else one if other is None else keeper.joined(one, other, clock))
        return Profile(
            right.subject,
            right.epoch,
            right.last_applied,
            clock,
            left.late_dropped + right.late_dropped,
            remembered_together(left.remembered, right.remembered, clock),
            states=States(self._layout, states),
        )

    def _unpack(self, profile: Profile) -> States:
        profile.states = States(self._layout, self._copied(profile))
        return profile.states

    def _copied(self, profile: Profile) -> list[State | None]:
        """The states of the fold's own features; of others, which an older scenario had, nothing is kept.

        States that a fold of the same layout left are as they are.
        """
        found = unpacked(profile)
        if found.layout == self._layout:
            return found.kept
        states: list[State | None] = [None] * len(self._keepers)
        for state in found.kept:
            if state is not None and (place := self._places.get(state[TAG])) is not None:
                states[place] = self._keepers[place].adopted(state)
        return states


class _TypeFold:
    """What events of one type add to which states.

    `derived` is None where what is folded depends on the event alone, `keys` where no state is kept within one.
    """

    def __init__(
        self, scenario: Scenario, event_type: EventType, shapes: Sequence[StateShape], keepers: Sequence[Keeper]
    ) -> None:
        steps = [
            Step(place, keepers[place], shape.features[0])
            for place, shape in enumerate(shapes)
            if shape.on == event_type.name
        ]
        paths = folds_read(each for step in steps for each in expressions_of(step.feature))
        self.fold_all = compile_folds(steps)
        self.derived = compile_fold_derived(scenario, event_type, paths) if paths else None
        within = [shape.features[0] for shape in shapes if shape.kind == "within"]
        self.keys = _Keys(scenario, event_type, within) if within else None


class _Keys:
    """Reads what is kept within keys, on events of one type.

    A key that reads the profile is evaluated after those that it depends on: what it reads may itself be kept
    within one.
    """

    def __init__(self, scenario: Scenario, event_type: EventType, within: Sequence[ProfileFeature]) -> None:
        reads = [folds_read([each.span.key] if isinstance(each.span, Within) else []) for each in within]
        direct = [each for each, paths in zip(within, reads, strict=True) if not paths]
        self._places = [place for place, paths in enumerate(reads) if not paths]
        self._evaluate = compile_keys(scenario, event_type, direct)
        self._later = [
            (
                place,
                compile_keys(scenario, event_type, [within[place]]),
                compile_fold_derived(scenario, event_type, reads[place]),
            )
            for place in _after_what_they_read(scenario, within, reads)
            if reads[place]
        ]

    def read(self, read_all: ReadAll, states: Sequence[Any], now: int, event: AdmittedEvent) -> tuple[Reading, ...]:
        fields, time = event.fields, event.event_time
        direct = self._evaluate(fields, time, (), ())
        if not self._later:
            return read_all(states, now, direct)
        keys: list[object] = [None] * (len(direct) + len(self._later))
        for place, key in zip(self._places, direct, strict=True):
            keys[place] = key
        readings = read_all(states, now, keys)
        for place, evaluate, derive in self._later:
            keys[place] = evaluate(fields, time, readings, derive(fields, time, readings))[0]
            readings = read_all(states, now, keys)
        return readings


def _keeper(shape: StateShape) -> Keeper:
    match shape.kind:
        case "hops":
            return SharedHops(shape)
        case "last":
            return KeptValues(shape)
        case "within":
            return WithinKey(shape)


def _after_what_they_read(
    scenario: Scenario, within: Sequence[ProfileFeature], reads: Sequence[Iterable[str]]
) -> Iterable[int]:
    """The places of features, each after those whose reads its key depends on."""
    read_as = {f"profile.{name}": place for place, each in enumerate(within) for name in each.read_names()}
    needs: dict[int, set[int]] = {}
    for place, paths in enumerate(reads):
        waiting, seen = list(paths), set(paths)
        while waiting:
            derived = scenario.derived.get(waiting.pop().removeprefix("derived."))
            more = derived.reads - seen if derived else ()
            waiting += more
            seen.update(more)
        needs[place] = {read_as[path] for path in seen if path in read_as}
    return TopologicalSorter(needs).static_order()
