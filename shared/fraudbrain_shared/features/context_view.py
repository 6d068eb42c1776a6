"""The context as the fast tier reads it: the newest state of each entity, as of the context's clock."""

from math import gcd
from typing import Final, NamedTuple

import msgspec

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.features.hops import WindowState, hops_between, summarise
from fraudbrain_shared.features.reads import READS, Reading
from fraudbrain_shared.records import ContextClock, ContextState
from fraudbrain_shared.scenario.description import ContextFeature, Read, Scenario
from fraudbrain_shared.scenario.scope import context_reads
from fraudbrain_shared.topics import CLOCK, split_key


class ContextReading(NamedTuple):
    """What is known of an event's entities: `values` in the order of `context_reads`.

    `clock` is the event time up to which the slow tier has seen, UTC ms; `behind_ms` how far that is behind
    the time at which it was read. Both are None while there was never a clock.
    """

    values: tuple[Reading, ...] = ()
    clock: int | None = None
    behind_ms: int | None = None

    def is_behind(self, stale_after_ms: int) -> bool:
        """Whether the clock is further behind than that. Where there never was a clock there is no slow
        tier that could fall behind: nothing is known of any entity, as no score is before the first model."""
        return self.behind_ms is not None and self.behind_ms > stale_after_ms


class ContextView:
    """The newest records of the `context` topic.

    States are kept as bytes and decoded when they are read; what was read of an entity is kept until its state is
    another, or the time at which it is read is in another hop.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._kinds = {each.entity for each in scenario.context.values()}
        self._states: dict[tuple[str, str], bytes] = {}
        self._clocks: dict[str, int] = {}
        self._known: dict[tuple[str, str], tuple[int, bytes | None, list[Reading]]] = {}
        self._plans = {each.name: _plan(scenario, each.name) for each in scenario.event_types.values()}

    @property
    def clock(self) -> int | None:
        """The event time up to which every job has seen; None while there was none."""
        return min(self._clocks.values(), default=None)

    def update(self, key: bytes, value: bytes | None) -> None:
        """Takes a record of the topic; without a value it forgets the entity, or the job's clock.

        Raises ValueError (and msgspec.DecodeError is one) for what is no such record; nothing changes then.
        """
        kind, id_ = split_key(key, parts=2)
        if kind == CLOCK:
            self._update_clock(id_, value)
        elif value is None:
            self._states.pop((kind, id_), None)
        else:
            record = _decode_state(value)
            if (record.entity, record.id) != (kind, id_):
                raise ValueError("the key does not name the record's entity")
            states = msgspec.json.encode(record.states)
            _decode_windows(states)
            if kind in self._kinds:  # an older scenario's kinds are nobody's
                self._states[kind, id_] = states

    def _update_clock(self, job: str, value: bytes | None) -> None:
        if value is None:
            self._clocks.pop(job, None)
        else:
            self._clocks[job] = _decode_clock(value).event_time

    def read(self, event: AdmittedEvent, now_ms: int) -> ContextReading:
        """What is known of the event's entities, as of the event's time or the clock, whichever is earlier.

        `now_ms` is the event's append time, in a stepped replay the clock of its step.
        """
        clock = self.clock
        as_of = event.event_time if clock is None else min(event.event_time, clock)
        values: list[Reading] = []
        for field, kind, features, grid_ms in self._plans[event.type]:
            id_ = getattr(event.fields, field)
            if id_ is None:
                values += [None for _, reads in features for _ in reads]
                continue
            entity = kind, id_
            encoded = self._states.get(entity)
            grid = as_of // grid_ms
            known = self._known.get(entity)
            if known is None or known[0] != grid or known[1] is not encoded:
                if len(self._known) >= _MOST_READ:
                    self._known.clear()
                known = self._known[entity] = grid, encoded, _read_all(encoded, features, as_of)
            values += known[2]
        return ContextReading(tuple(values), clock, None if clock is None else now_ms - clock)


_Features = list[tuple[ContextFeature, tuple[Read, ...]]]
_Plan = list[tuple[str, str, _Features, int]]
"""For each field that names an entity: the field, the kind, its features with their reads, and how long, in ms, the
times are at which they all read the same."""


def _plan(scenario: Scenario, type_name: str) -> _Plan:
    found: dict[str, _Features] = {}
    kinds: dict[str, str] = {}
    for each in context_reads(scenario, scenario.event_types[type_name]):
        kinds[each.field.name] = each.feature.entity
        features = found.setdefault(each.field.name, [])
        if not features or features[-1][0] is not each.feature:
            features.append((each.feature, each.feature.read))
    return [(field, kinds[field], features, _grid_ms(features)) for field, features in found.items()]


def _grid_ms(features: _Features) -> int:
    if any("seconds_since" in reads for _, reads in features):  # the one read that no two times have in common
        return 1
    return gcd(*(length_ms for feature, _ in features for length_ms in (feature.hop_ms, feature.window_ms)))


def _read_all(encoded: bytes | None, features: _Features, as_of: int) -> list[Reading]:
    states = _decode_windows(encoded) if encoded else {}
    return [
        value for feature, reads in features for value in _read(states.get(feature.id, _EMPTY), feature, reads, as_of)
    ]


def _read(state: WindowState, feature: ContextFeature, reads: tuple[Read, ...], as_of: int) -> list[Reading]:
    """The reads as of a time: hops that begin after it do not count, and nothing is younger than it."""
    hop_ms = feature.hop_ms
    newest = as_of // hop_ms
    if state.hops and state.hops[-1].index > newest:
        state = WindowState(hops_between(state, 0, newest + 1))
    summary = summarise(state, first=(as_of - feature.window_ms) // hop_ms, hop_ms=hop_ms)
    now = max(as_of, summary.last_time)
    return [READS[read](summary, now) for read in reads]


_EMPTY: Final = WindowState([])
_MOST_READ: Final = 10_000  # entities of which what was read is kept: some megabytes
_decode_state = msgspec.json.Decoder(ContextState).decode
_decode_clock = msgspec.json.Decoder(ContextClock).decode
_decode_windows = msgspec.json.Decoder(dict[str, WindowState]).decode
