"""The parameter book: every parameter's effective value, for each event that is decided."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from fraudbrain_shared.admission import MAX_AHEAD_MS, AdmittedEvent
from fraudbrain_shared.controls.governor import check_move, fault_of_number
from fraudbrain_shared.controls.starting import start_of
from fraudbrain_shared.controls.time_line import GRACE_MS, Stretch, TimeLine
from fraudbrain_shared.newest import MOST_ENTITIES, Newest
from fraudbrain_shared.records import ParameterHold, ParameterValue
from fraudbrain_shared.records.control import Number
from fraudbrain_shared.scenario.description import Parameter, Scenario
from fraudbrain_shared.topics import HOLD, VALUE, hold_key, split_key, value_key

T = TypeVar("T")
R = TypeVar("R", ParameterValue, ParameterHold)


class RefusedParameter(ValueError):
    """A record that must not be used; its text says why. What was known of the parameter stays."""


class _Effective(NamedTuple):
    """A value that holds for events before `until`, UTC ms; then the parameter is where it started.

    `release` is the model release under which alone it holds, if there is one.
    """

    value: Number
    until: float = inf
    release: str | None = None


class Release(NamedTuple):
    """What a model release says of parameters: thresholds on its scores start from `starting_values`."""

    version: str | None = None
    starting_values: Mapping[str, float] = {}


class Globals:
    """The values for entities of which nothing moved, as one set of controls says, for events of any time.

    `since` and `until` are the append times from and before which that set acts, UTC ms.
    """

    def __init__(
        self,
        release: Release,
        starts: Sequence[Number],
        moved: Sequence[tuple[int, _Effective]],
        since: float,
        until: float,
    ) -> None:
        self.release, self.since, self.until = release, since, until
        self._starts, self._moved = starts, moved
        self._values: tuple[Number, ...] = ()
        self._from, self._before = inf, -inf

    def at(self, time: int) -> tuple[Number, ...]:
        """In the scenario's order at an event time, UTC ms: always the same tuple while nothing expires."""
        if not self._from <= time < self._before:
            self._look_up(time)
        return self._values

    def _look_up(self, time: int) -> None:
        values = list(self._starts)
        self._from, self._before = -inf, inf
        for place, found in self._moved:
            if time < found.until:
                values[place] = found.value
                self._before = min(self._before, found.until)
            else:
                self._from = max(self._from, found.until)
        self._values = tuple(values)


class _Lines(NamedTuple):
    """A global parameter's values and holds, each on the append times at which it acts; None is that there is none."""

    values: TimeLine[ParameterValue | None]
    holds: TimeLine[ParameterHold | None]


class ParameterBook:
    """The newest records of the `parameters` topic, and what follows from them.

    The effective value is that of a hold, else a value that has not expired by the event's time, else where
    the parameter starts: its default, or for a threshold on the score what the live release says. A
    frozen parameter stays where it was last moved, also when that expires.

    Of global parameters the earlier records are kept too, as long as an event may meet them: `globals_at` gives
    what acts at an append time. Those of entities act as they come; of more than `most_entities` moved values the
    oldest are put away. Values of entities are kept as bytes and decoded when they are read.
    """

    def __init__(self, scenario: Scenario, most_entities: int = MOST_ENTITIES) -> None:
        self._parameters = scenario.parameters
        self._release = Release()
        self._lines = {name: _no_lines() for name, each in scenario.parameters.items() if not each.per}
        self._values = Newest(most_entities)
        self._holds: dict[str, ParameterHold] = {}
        self._known: dict[str, _Effective | None] = {}
        self._per_entity = {
            name: [
                (place, each.per, f"{each.name}|", each)
                for place, each in enumerate(scenario.parameters.values())
                if each.per and each.per in event_type.fields
            ]
            for name, event_type in scenario.event_types.items()
        }
        self._newest: Globals | None = None

    def update(self, key: bytes, value: bytes | None, append_time: int | None = None) -> float:
        """Takes a record of the topic; one without a value takes back what stood under its key.

        Returns the append time of the first events on which it acts: a global one the grace after its own
        `append_time`, if that is given, else at once, as all others do. Raises RefusedParameter, with nothing
        changed, for what its scenario and the governor's laws (`check_move`) do not allow.
        """
        try:
            kind, name, id_ = split_key(key, parts=3)
        except ValueError as error:
            raise RefusedParameter(f"no key of a parameter: {error}") from error
        parameter = self._parameter(name, id_)
        if kind == VALUE:
            taken: ParameterValue | ParameterHold | None = self._checked_value(parameter, id_, value, append_time)
        elif kind == HOLD:
            taken = self._checked_hold(parameter, id_, value)
        else:
            raise RefusedParameter(f"{kind} is no kind of record on parameters")
        if parameter.per:
            self._take_of_entity(kind, f"{name}|{id_}", value, taken)
            return -inf
        return self._take_global(kind, name, taken, append_time)

    def release(self, version: str | None, starting_values: Mapping[str, float]) -> None:
        """Another model release is the newest: thresholds on the score start from what it says."""
        self._release = Release(version, starting_values)
        self._newest = None

    def last(self, name: str, id_: str = "") -> ParameterValue | None:
        """The newest value that was published, whether it still holds or not."""
        if not id_:
            return self._lines[name].values.newest if name in self._lines else None
        value = self._values.get(f"{name}|{id_}")
        return None if value is None else _decoded(value, ParameterValue)

    def hold(self, name: str, id_: str = "") -> ParameterHold | None:
        if not id_:
            return self._lines[name].holds.newest if name in self._lines else None
        return self._holds.get(f"{name}|{id_}")

    def moved(self, name: str, time: int) -> dict[str, Number]:
        """By id what stands at an event time (UTC ms) instead of where the parameter starts; the empty id is global."""
        parameter, found = self._parameters[name], dict[str, _Effective | None]()
        if parameter.per:
            own = (
                key
                for key in {**dict.fromkeys(self._values.oldest_first()), **self._holds}
                if key.startswith(f"{name}|")
            )
            found = {key.partition("|")[2]: self._effective_of_entity(parameter, key) for key in own}
        else:
            lines = self._lines[name]
            found = {"": _effective(parameter, lines.values.newest, lines.holds.newest)}
        return {
            id_: each.value
            for id_, each in found.items()
            if each is not None and time < each.until and each.release in (None, self._release.version)
        }

    def globals_at(self, append_time: float, release: Release) -> Globals:
        """What acts on events of an append time, UTC ms, under the release that does; infinity: the newest."""
        since, until = -inf, inf
        moved = []
        for place, (name, parameter) in enumerate(self._parameters.items()):
            if name in self._lines:
                value, hold = (_at(line, append_time) for line in self._lines[name])
                since, until = max(since, value.since, hold.since), min(until, value.until, hold.until)
                found = _effective(parameter, value.value, hold.value)
                if found is not None and found.release in (None, release.version):
                    moved.append((place, found))
        starts = tuple(start_of(each, *release).value for each in self._parameters.values())
        return Globals(release, starts, moved, since, until)

    def values_for(self, event: AdmittedEvent, acting: Globals | None = None) -> tuple[Number, ...]:
        """The effective values for an event, in the scenario's order: always the same tuple while none of
        its own entities' parameters has moved. `acting` says what holds for all; else the newest does."""
        if acting is None:
            acting = self._newest = self._newest or self.globals_at(inf, self._release)
        time = event.event_time
        values = acting.at(time)
        if not (self._values or self._holds):
            return values
        changed: list[Number] | None = None
        fields, known, release = event.fields, self._known, acting.release.version
        for place, field, prefix, parameter in self._per_entity[event.type]:
            id_ = getattr(fields, field)
            if id_ is None:
                continue
            key = prefix + id_
            found = known.get(key, _NOT_READ)
            if found is _NOT_READ:
                found = self._read(parameter, key)
            if found is not None and time < found.until and (found.release is None or found.release == release):
                changed = changed or list(values)
                changed[place] = found.value
        return values if changed is None else tuple(changed)

    @property
    def entities(self) -> int:
        """How many values of entities are kept."""
        return len(self._values)

    @property
    def put_away(self) -> int:
        """How many values of entities were put away so far."""
        return self._values.put_away

    def is_partial(self, event: AdmittedEvent) -> bool:
        """Whether a parameter had moved for one of the event's entities and was put away: it is where it starts."""
        return any(
            (id_ := getattr(event.fields, field)) is not None
            and self._values.get(prefix + id_) is None
            and self._values.was_put_away(prefix + id_)
            for _, field, prefix, _ in self._per_entity[event.type]
        )

    def records(self) -> Iterator[tuple[bytes, bytes | None, int | None]]:
        """Keys, values and append times that, taken one after the other, make another book say what this one does."""
        for name, lines in self._lines.items():
            for key, line in ((value_key(name), lines.values), (hold_key(name), lines.holds)):
                for each in line:
                    record = None if each.value is None else msgspec.json.encode(each.value)
                    if each.since > -inf:
                        yield key, record, int(each.since) - GRACE_MS
                    elif record is not None:
                        yield key, record, None
        for of_entity in self._values.oldest_first():
            if (value := self._values.get(of_entity)) is not None:
                yield f"{VALUE}|{of_entity}".encode(), value, None
        for of_entity, hold in list(self._holds.items()):
            yield f"{HOLD}|{of_entity}".encode(), msgspec.json.encode(hold), None

    def _parameter(self, name: str, id_: str) -> Parameter:
        parameter = self._parameters.get(name)
        if parameter is None:
            raise RefusedParameter(f"the scenario has no parameter {name}")
        if bool(id_) != bool(parameter.per):
            kept = f"kept for each {parameter.per}" if parameter.per else "global"
            raise RefusedParameter(f"{name} is {kept}; the key {'names an' if id_ else 'has no'} id")
        return parameter

    def _checked_value(
        self, parameter: Parameter, id_: str, value: bytes | None, append_time: int | None
    ) -> ParameterValue | None:
        if value is None:
            return None
        record = _decoded(value, ParameterValue)
        _refuse_other_key(record, parameter, id_)
        start = start_of(parameter, *self._release)
        if fault := check_move(parameter, record, start):
            raise RefusedParameter(f"{parameter.name}: {fault}")
        if append_time is not None and record.tick > append_time + MAX_AHEAD_MS:  # it would outlive what it may
            raise RefusedParameter(f"{parameter.name}: of tick {record.tick}, long after it was published")
        last = self.last(parameter.name, id_)
        if last is not None and last.release == record.release and record.tick < last.tick:
            raise RefusedParameter(f"{parameter.name}: of tick {record.tick}, which is before {last.tick} that stands")
        return record

    def _checked_hold(self, parameter: Parameter, id_: str, value: bytes | None) -> ParameterHold | None:
        if value is None:
            return None
        record = _decoded(value, ParameterHold)
        _refuse_other_key(record, parameter, id_)
        if record.action == "pin" and record.value is None:
            raise RefusedParameter(f"{parameter.name}: a pin needs a value")
        if record.value is not None and (fault := fault_of_number(parameter, record.value)):
            raise RefusedParameter(f"{parameter.name}: {fault}")
        return record

    def _take_of_entity(
        self, kind: str, key: str, value: bytes | None, taken: ParameterValue | ParameterHold | None
    ) -> None:
        if kind == HOLD:
            if isinstance(taken, ParameterHold):
                self._holds[key] = taken
            else:
                self._holds.pop(key, None)
        elif value is None:
            self._values.remove(key)
        else:
            before = self._values.put_away
            self._values.put(key, value)
            if self._values.put_away > before:
                self._known.clear()
        self._known.pop(key, None)

    def _take_global(
        self, kind: str, name: str, taken: ParameterValue | ParameterHold | None, append_time: int | None
    ) -> float:
        self._newest = None
        lines = self._lines[name]
        line: TimeLine[Any] = lines.values if kind == VALUE else lines.holds
        if append_time is not None:
            return line.add(taken, append_time)
        at_once: TimeLine[Any] = TimeLine(taken)
        self._lines[name] = _Lines(at_once, lines.holds) if kind == VALUE else _Lines(lines.values, at_once)
        return -inf

    def _read(self, parameter: Parameter, key: str) -> _Effective | None:
        """What was decoded is kept, as long as it is not too much."""
        if len(self._known) >= _MOST_READ:
            self._known.clear()
        found = self._known[key] = self._effective_of_entity(parameter, key)
        return found

    def _effective_of_entity(self, parameter: Parameter, key: str) -> _Effective | None:
        value = self._values.get(key)
        return _effective(parameter, None if value is None else _decoded(value, ParameterValue), self._holds.get(key))


def _no_lines() -> _Lines:
    return _Lines(TimeLine(None), TimeLine(None))


def _at(line: TimeLine[T], append_time: float) -> Stretch[T]:
    return line.newest_stretch if append_time == inf else line.at(append_time)


def _effective(parameter: Parameter, value: ParameterValue | None, hold: ParameterHold | None) -> _Effective | None:
    """What stands instead of the parameter's start, or None."""
    if hold is not None and hold.value is not None:
        return _Effective(_typed(parameter, hold.value))
    if value is None or (hold is not None and hold.action == "revert"):
        return None
    until = inf if hold is not None else value.expires_at
    return _Effective(_typed(parameter, value.value), until, value.release)


_NOT_READ: Final = _Effective(0)
_MOST_READ: Final = 10_000  # entities of which what was read is kept


def _decoded(value: bytes, kind: type[R]) -> R:
    try:
        return msgspec.json.decode(value, type=kind)
    except msgspec.MsgspecError as error:
        raise RefusedParameter(f"no {kind.__name__}: {error}") from error


def _typed(parameter: Parameter, value: Number) -> Number:
    """A double may be written without a point."""
    return float(value) if parameter.type == "double" else value


def _refuse_other_key(record: ParameterValue | ParameterHold, parameter: Parameter, id_: str) -> None:
    if (record.name, record.id) != (parameter.name, id_):
        raise RefusedParameter(f"the key of {parameter.name} holds a record of another parameter or id")
