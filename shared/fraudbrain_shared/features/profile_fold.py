"""How events are folded into profiles, and features read from them as of just before an event."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from graphlib import TopologicalSorter
from typing import Any, Final, NamedTuple

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.features.compiled_folds import FlatStep, FoldAll, Step, compile_folds, expressions_of
from fraudbrain_shared.features.compiled_reads import compile_reads
from fraudbrain_shared.features.flat_layout import MOST_STATES
from fraudbrain_shared.features.flat_states import FlatStates, is_flat, layout_in, packed, spell_out
from fraudbrain_shared.features.keeper import TAG, Keeper, State
from fraudbrain_shared.features.last_values import KeptValues
from fraudbrain_shared.features.profile import NO_STATES, Profile, States, layout_of, unpacked
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


_NONE: Final[list[State | None]] = []


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
        self._flat_places = [place for place, shape in enumerate(shapes) if is_flat(shape)][:MOST_STATES]
        self._list_places = [place for place in range(len(shapes)) if place not in self._flat_places]
        flat, lists = ([shapes[place] for place in places] for places in (self._flat_places, self._list_places))
        self._flat = FlatStates(self._layout, flat)
        self._read_all = compile_reads(features, lists, later, self._flat, self._read_slowly)
        self._read_spelt_out = compile_reads([each for shape in flat for each in shape.features], flat, {})
        self._types = {
            name: self._of_type(scenario, event_type, shapes) for name, event_type in scenario.event_types.items()
        }

    def read(self, profile: Profile, event: AdmittedEvent) -> tuple[Reading, ...]:
        """The profile's features as of just before an event, in the scenario's order. Changes nothing.

        Windows end at the profile's clock or at the event's time, whichever is later.
        """
        time = event.event_time
        now = profile.clock if profile.clock > time else time
        keys = self._types[event.type].keys
        if keys is None:
            return self._read_all(profile, self._lists(profile), now, ())
        return keys.read(partial(self._read_all, profile), self._lists(profile), now, event)

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
        clock = profile.clock
        if time > clock:
            clock = profile.clock = time
        late = of_type.fold_all(event.fields, time, readings or (), derived, profile, self._lists(profile), clock)
        if late:
            profile.late_dropped += late

    def joined(self, left: Profile, right: Profile) -> Profile:
        """The profile of two histories of a subject, of which the right one is later in the log. Changes neither.

        It reads as if all had been folded in one go, up to the rounding of doubles; only a late event that brings
        another key than `within` had is not known to be late where the right part begins.
        """
        clock = max(left.clock, right.clock)
        states: list[State | None] = []
        pairs = zip(self._keepers, self._copied(left), self._copied(right), strict=True)
        for keeper, one, other in pairs:
            states.append(other if one is None else one if other is None else keeper.joined(one, other, clock))
        both = Profile(
            right.subject,
            right.epoch,
            right.last_applied,
            clock,
            left.late_dropped + right.late_dropped,
            remembered_together(left.remembered, right.remembered, clock),
        )
        self._keep(both, states)
        return both

    def _lists(self, profile: Profile) -> list[State | None]:
        """The states that are not flat."""
        states = profile.states
        if states is None:
            if not self._list_places:
                if profile.packed is not NO_STATES:
                    self._adopt(profile)
                return _NONE
            states = unpacked(profile)
            if states.layout != self._layout:
                states = States(self._layout, self._adopt(profile))
            profile.states = states
        return states.kept

    def _read_slowly(self, profile: Profile, now: int) -> tuple[Reading, ...]:
        """What the kernel does not read: flat states of another layout, or sums beyond 64 bits."""
        if profile.flat and layout_in(profile.flat) != self._layout:
            self._adopt(profile)
        return self._read_spelt_out(profile, self._flat.spelt_out(profile.flat), now, ())

    def _fold_slowly(self, profile: Profile, mask: int, values: Sequence[int], time: int, clock: int) -> int:
        if profile.flat and layout_in(profile.flat) != self._layout:
            self._adopt(profile)
        profile.flat, late = self._flat.fold(profile.flat, mask, values, time, clock)
        return late

    def _adopt(self, profile: Profile) -> list[State | None]:
        """Has the states in this fold's layout, and returns those that are not flat; of other features, which an older
        scenario had, nothing is kept."""
        return self._keep(profile, self._copied(profile))

    def _keep(self, profile: Profile, states: Sequence[State | None]) -> list[State | None]:
        lists = [states[place] for place in self._list_places]
        profile.flat = packed(self._layout, [states[place] for place in self._flat_places])
        profile.packed, profile.states = NO_STATES, States(self._layout, lists) if lists else None
        return lists

    def _copied(self, profile: Profile) -> list[State | None]:
        """The states of all the fold's own features, none of them flat."""
        states: list[State | None] = [None] * len(self._keepers)
        for state in (*spell_out(profile.flat), *unpacked(profile).kept):
            if state is not None and (place := self._places.get(state[TAG])) is not None:
                states[place] = self._keepers[place].adopted(state)
        return states

    def _of_type(self, scenario: Scenario, event_type: EventType, shapes: Sequence[StateShape]) -> "_TypeFold":
        steps: list[Step] = [
            Step(number, self._keepers[place], shapes[place].features[0])
            for number, place in enumerate(self._list_places)
            if shapes[place].on == event_type.name
        ]
        flat_steps: list[FlatStep] = [
            FlatStep(number, shapes[place].features[0], self._flat.value_place(shapes[place]))
            for number, place in enumerate(self._flat_places)
            if shapes[place].on == event_type.name
        ]
        features = [each.feature for each in steps] + [each.feature for each in flat_steps]
        paths = folds_read(each for feature in features for each in expressions_of(feature))
        within = [shape.features[0] for shape in shapes if shape.kind == "within"]
        return _TypeFold(
            compile_folds(steps, flat_steps, self._flat, self._fold_slowly),
            compile_fold_derived(scenario, event_type, paths) if paths else None,
            _Keys(scenario, event_type, within) if within else None,
        )


class _TypeFold(NamedTuple):
    """What events of one type add to which states.

    `derived` is None where what is folded depends on the event alone, `keys` where no state is kept within one.
    """

    fold_all: FoldAll
    derived: Callable[..., Sequence[object]] | None
    keys: "_Keys | None"


ReadLists = Callable[[Sequence[Any], int, Sequence[Any]], tuple[Reading, ...]]
"""A profile's `ReadAll`."""


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

    def read(self, read_all: ReadLists, states: Sequence[Any], now: int, event: AdmittedEvent) -> tuple[Reading, ...]:
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
