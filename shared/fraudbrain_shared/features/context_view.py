"""The context as the fast tier reads it: the newest state of each entity, as of the context's clock."""

from collections.abc import Callable
from itertools import chain
from math import gcd
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.features.hops import WindowState, hops_between, summarise
from fraudbrain_shared.features.reads import READS, Reading
from fraudbrain_shared.records import ContextClock, ContextState
from fraudbrain_shared.scenario.description import ContextFeature, Read, Scenario
from fraudbrain_shared.scenario.scope import context_reads
from fraudbrain_shared.topics import CLOCK, split_key


class ContextReading(msgspec.Struct, frozen=True, gc=False):
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
        self._clock: int | None = None
        self._plans = {each.name: _plan(scenario, each.name) for each in scenario.event_types.values()}

    @property
    def clock(self) -> int | None:
        """The event time up to which every job has seen; None while there was none."""
        return self._clock

    def update(self, key: bytes, value: bytes | None) -> None:
        """Takes a record of the topic; without a value it forgets the entity, or the job's clock.

        Raises ValueError (and msgspec.DecodeError is one) for what is no such record; nothing changes then.
        """
        kind, id_ = split_key(key, parts=2)
        if kind == CLOCK:
            self._update_clock(id_, value)
        elif value is None:
            self._states.pop((kind, id_), None)
            self._forget_read(kind, id_)
        else:
            record = _decode_state(value)
            if (record.entity, record.id) != (kind, id_):
                raise ValueError("the key does not name the record's entity")
            states = msgspec.json.encode(record.states)
            _decode_windows(states)
            if kind in self._kinds:  # an older scenario's kinds are nobody's
                self._states[kind, id_] = states
                self._forget_read(kind, id_)

    def _update_clock(self, job: str, value: bytes | None) -> None:
        if value is None:
            self._clocks.pop(job, None)
        else:
            self._clocks[job] = _decode_clock(value).event_time
        self._clock = min(self._clocks.values(), default=None)

    def _forget_read(self, kind: str, id_: str) -> None:
        for plan in self._plans.values():
            for entity in plan:
                if entity.kind == kind:
                    entity.known.pop(id_, None)

    def read(self, event: AdmittedEvent, now_ms: int) -> ContextReading:
        """What is known of the event's entities, as of the event's time or the clock, whichever is earlier.

        `now_ms` is the event's append time, in a stepped replay the clock of its step.
        """
        clock = self._clock
        as_of = event.event_time if clock is None else min(event.event_time, clock)
        values: tuple[Reading, ...] = ()
        for entity in self._plans[event.type]:
            id_ = entity.id_of(event)
            known = entity.known.get(id_)
            if known is None or known[0] != as_of // entity.grid_ms:
                known = self._read(entity, id_, as_of)
            values += known[1]
        return ContextReading(values, clock, None if clock is None else now_ms - clock)

    def _read(self, entity: "_Entity", id_: str | None, as_of: int) -> "_Known":
        """Reads an entity, and keeps what was read."""
        if id_ is None:
            values: tuple[Reading, ...] = (None,) * sum(len(reads) for _, reads in entity.features)
        else:
            values = _read_all(self._states.get((entity.kind, id_)), entity.features, as_of)
        if len(entity.known) >= _MOST_READ:
            entity.known.clear()
        known = entity.known[id_] = as_of // entity.grid_ms, values
        return known


_Features = list[tuple[ContextFeature, tuple[Read, ...]]]
_Known = tuple[int, tuple[Reading, ...]]
"""In which stretch of time an entity was read, and what was read."""


class _Entity(NamedTuple):
    """A field that names an entity: its kind, the features of that with their reads, and how long, in ms, the times are
    at which they all read the same. `known` is what was read, by id."""

    id_of: Callable[[AdmittedEvent], str | None]
    kind: str
    features: _Features
    grid_ms: int
    known: dict[str | None, _Known]


def _plan(scenario: Scenario, type_name: str) -> list[_Entity]:
    found: dict[str, _Features] = {}
    kinds: dict[str, str] = {}
    for each in context_reads(scenario, scenario.event_types[type_name]):
        kinds[each.field.name] = each.feature.entity
        features = found.setdefault(each.field.name, [])
        if not features or features[-1][0] is not each.feature:
            features.append((each.feature, each.feature.read))
    return [
        _Entity(attrgetter(f"fields.{field}"), kinds[field], features, _grid_ms(features), {})
        for field, features in found.items()
    ]


def _grid_ms(features: _Features) -> int:
    if any("seconds_since" in reads for _, reads in features):  # the one read that no two times have in common
        return 1
    return gcd(*(length_ms for feature, _ in features for length_ms in (feature.hop_ms, feature.window_ms)))


def _read_all(encoded: bytes | None, features: _Features, as_of: int) -> tuple[Reading, ...]:
    states = _decode_windows(encoded) if encoded else {}
    found = (_read(states.get(feature.id, _EMPTY), feature, reads, as_of) for feature, reads in features)
    return tuple(chain.from_iterable(found))


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
_MOST_READ: Final = 10_000  # entities, of each field, of which what was read is kept: some megabytes
_decode_state = msgspec.json.Decoder(ContextState).decode
_decode_clock = msgspec.json.Decoder(ContextClock).decode
_decode_windows = msgspec.json.Decoder(dict[str, WindowState]).decode
