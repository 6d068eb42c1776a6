"""The context as the fast tier reads it: the newest state of each entity, as of the context's clock."""

from collections.abc import Callable, Iterator
from itertools import chain
from math import gcd
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.expressions.types import RANGES, Type
from fraudbrain_shared.features.hops import WindowState, hops_between, summarise
from fraudbrain_shared.features.reads import READS, Reading
from fraudbrain_shared.newest import MOST_ENTITIES, Newest
from fraudbrain_shared.records import ContextClock, ContextState
from fraudbrain_shared.scenario.context_table import MAX_CONTEXT_BYTES
from fraudbrain_shared.scenario.description import ContextFeature, Read, Scenario
from fraudbrain_shared.scenario.scope import context_reads
from fraudbrain_shared.topics import CLOCK, clock_key, split_key


class ContextReading(msgspec.Struct, frozen=True, gc=False):
    """What is known of an event's entities: `values` in the order of `context_reads`.

    `clock` is the event time up to which the slow tier has seen, UTC ms; `behind_ms` how far that is behind
    the time at which it was read. Both are None while there was never a clock. `is_partial` where something was known
    of an entity and was put away to save memory: its reads are unknown.
    """

    values: tuple[Reading, ...] = ()
    clock: int | None = None
    behind_ms: int | None = None
    is_partial: bool = False

    def is_behind(self, stale_after_ms: int) -> bool:
        """Whether the clock is further behind than that. Where there never was a clock there is no slow
        tier that could fall behind: nothing is known of any entity, as no score is before the first model."""
        return self.behind_ms is not None and self.behind_ms > stale_after_ms


class ContextView:
    """The newest records of the `context` topic.

    States are kept as bytes and decoded when they are read; what was read of an entity is kept until its state is
    another, or the time at which it is read is in another hop. Of more than `most_entities` those whose records
    are oldest are put away.
    """

    def __init__(self, scenario: Scenario, most_entities: int = MOST_ENTITIES) -> None:
        self._kinds = {each.entity for each in scenario.context.values()}
        self._states = Newest(most_entities)
        self._clocks: dict[str, int] = {}
        self._clock: int | None = None
        self._plans = {each.name: _plan(scenario, each.name) for each in scenario.event_types.values()}

    @property
    def clock(self) -> int | None:
        """The event time up to which every job has seen; None while there was none."""
        return self._clock

    @property
    def entities(self) -> int:
        """Of how many something is known."""
        return len(self._states)

    @property
    def put_away(self) -> int:
        """How many were put away so far."""
        return self._states.put_away

    def update(self, key: bytes, value: bytes | None) -> None:
        """Takes a record of the topic; without a value it forgets the entity, or the job's clock.

        Raises ValueError (and msgspec.DecodeError is one) for what is no such record; nothing changes then.
        """
        kind, id_ = split_key(key, parts=2)
        if kind == CLOCK:
            self._update_clock(id_, value)
        elif value is None:
            self._states.remove(_key(kind, id_))
            self._forget_read(kind, id_)
        else:
            record = _decode_state(value)
            if (record.entity, record.id) != (kind, id_):
                raise ValueError("the key does not name the record's entity")
            if (length := sum(map(len, record.states.values()))) > MAX_CONTEXT_BYTES:
                raise ValueError(f"a state of {length:,} bytes; {MAX_CONTEXT_BYTES:,} are allowed")
            states = {feature: _decode_window(raw) for feature, raw in record.states.items()}
            if kind in self._kinds:  # an older scenario's kinds are nobody's
                put_away = self._states.put_away
                self._states.put(_key(kind, id_), _packed(states))
                self._forget_read(kind, id_)
                if self._states.put_away > put_away:
                    self._forget_all_read()

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values that, taken one after the other, make another view what this one is."""
        for key in self._states.oldest_first():
            if (states := self._states.get(key)) is not None:
                kind, _, id_ = key.partition("|")
                record = {"entity": kind, "id": id_, "states": _unpack_windows(states)}
                yield key.encode(), msgspec.json.encode(record)
        for job, event_time in self._clocks.items():
            yield clock_key(job), msgspec.json.encode(ContextClock(job, event_time))

    def _update_clock(self, job: str, value: bytes | None) -> None:
        if value is None:
            self._clocks.pop(job, None)
        else:
            clock = _decode_clock(value)
            if clock.job != job or not 0 <= clock.event_time <= RANGES[Type.TIMESTAMP].high:
                raise ValueError("no clock of this job")
            self._clocks[job] = clock.event_time
        self._clock = min(self._clocks.values(), default=None)

    def _forget_read(self, kind: str, id_: str) -> None:
        for plan in self._plans.values():
            for entity in plan:
                if entity.kind == kind:
                    entity.known.pop(id_, None)

    def _forget_all_read(self) -> None:
        """Some are put away: what read as never seen may be one of them, and is then unknown."""
        for plan in self._plans.values():
            for entity in plan:
                entity.known.clear()

    def read(self, event: AdmittedEvent, now_ms: int) -> ContextReading:
        """What is known of the event's entities, as of the event's time or the clock, whichever is earlier.

        `now_ms` is the event's append time, in a stepped replay the clock of its step.
        """
        clock = self._clock
        as_of = event.event_time if clock is None else min(event.event_time, clock)
        values: tuple[Reading, ...] = ()
        is_partial = False
        for entity in self._plans[event.type]:
            id_ = entity.id_of(event)
            known = entity.known.get(id_)
            if known is None or known.grid != as_of // entity.grid_ms:
                known = self._read(entity, id_, as_of)
            values += known.values
            if known.is_lost:
                is_partial = True
        return ContextReading(values, clock, None if clock is None else now_ms - clock, is_partial)

    def _read(self, entity: "_Entity", id_: str | None, as_of: int) -> "_Known":
        """Reads an entity, and keeps what was read."""
        key = _key(entity.kind, id_ or "")
        encoded = None if id_ is None else self._states.get(key)
        is_lost = id_ is not None and encoded is None and self._states.was_put_away(key)
        if id_ is None or is_lost:
            values: tuple[Reading, ...] = (None,) * sum(len(reads) for _, reads in entity.features)
        else:
            values = _read_all(encoded, entity.features, as_of)
        if len(entity.known) >= _MOST_READ:
            entity.known.clear()
        known = entity.known[id_] = _Known(as_of // entity.grid_ms, values, is_lost)
        return known


_Features = list[tuple[ContextFeature, tuple[Read, ...]]]


class _Known(NamedTuple):
    """In which stretch of time an entity was read, what was read, and whether it was put away."""

    grid: int
    values: tuple[Reading, ...]
    is_lost: bool


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


def _key(kind: str, id_: str) -> str:
    return f"{kind}|{id_}"


def _read_all(encoded: bytes | None, features: _Features, as_of: int) -> tuple[Reading, ...]:
    states = _unpack_windows(encoded) if encoded else {}
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
_decode_window = msgspec.json.Decoder(WindowState).decode
_unpack_windows = msgspec.msgpack.Decoder(dict[str, WindowState]).decode
_encoder = msgspec.msgpack.Encoder()
_buffer: Final = bytearray()


def _packed(states: dict[str, WindowState]) -> bytes:
    """Half as long as JSON. Without the buffer what comes out would hold on to up to twice its length."""
    _encoder.encode_into(states, _buffer)
    return bytes(_buffer)
