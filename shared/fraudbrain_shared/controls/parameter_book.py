"""The parameter book: every parameter's effective value, for each event that is decided."""

from collections.abc import Mapping
from math import inf
from typing import Final, NamedTuple, TypeVar

import msgspec

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.controls.governor import check_move, fault_of_number
from fraudbrain_shared.controls.starting import start_of
from fraudbrain_shared.records import ParameterHold, ParameterValue
from fraudbrain_shared.records.control import Number
from fraudbrain_shared.scenario.description import Parameter, Scenario
from fraudbrain_shared.topics import HOLD, VALUE, split_key

R = TypeVar("R", ParameterValue, ParameterHold)


class RefusedParameter(ValueError):
    """A record that must not be used; its text says why. What was known of the parameter stays."""


class _Effective(NamedTuple):
    """A value that holds for events before `until`, UTC ms; then the parameter is where it started."""

    value: Number
    until: float = inf


class ParameterBook:
    """The newest records of the `parameters` topic, and what follows from them.

    The effective value is that of a hold, else a value that has not expired by the event's time, else where
    the parameter starts: its default, or for a threshold on the score what the live release says. A
    frozen parameter stays where it was last moved, also when that expires.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._parameters = scenario.parameters
        self._places = {name: place for place, name in enumerate(scenario.parameters)}
        self._release: str | None = None
        self._starting_values: Mapping[str, float] = {}
        self._values: dict[tuple[str, str], ParameterValue] = {}
        self._holds: dict[tuple[str, str], ParameterHold] = {}
        self._moved: dict[str, dict[str, _Effective]] = {name: {} for name in scenario.parameters}
        self._per_entity = {
            name: [
                (self._places[each.name], each.per, self._moved[each.name])
                for each in scenario.parameters.values()
                if each.per and each.per in event_type.fields
            ]
            for name, event_type in scenario.event_types.items()
        }
        self._globals: _Globals = _STALE
        self._refresh_starts()

    def update(self, key: bytes, value: bytes | None) -> None:
        """Takes a record of the topic; one without a value takes back what stood under its key.

        Raises RefusedParameter, with nothing changed, for what its scenario and the governor's laws
        (`check_move`) do not allow.
        """
        try:
            kind, name, id_ = split_key(key, parts=3)
        except ValueError as error:
            raise RefusedParameter(f"no key of a parameter: {error}") from error
        parameter = self._parameter(name, id_)
        if kind == VALUE:
            self._update_value(parameter, id_, value)
        elif kind == HOLD:
            self._update_hold(parameter, id_, value)
        else:
            raise RefusedParameter(f"{kind} is no kind of record on parameters")
        self._refresh(parameter, id_)

    def release(self, version: str | None, starting_values: Mapping[str, float]) -> None:
        """Another model release is live: thresholds on the score start from what it says."""
        self._release, self._starting_values = version, starting_values
        self._refresh_starts()
        for name, id_ in {*self._values, *self._holds}:
            self._refresh(self._parameters[name], id_)

    def last(self, name: str, id_: str = "") -> ParameterValue | None:
        """The newest value that was published, whether it still holds or not."""
        return self._values.get((name, id_))

    def hold(self, name: str, id_: str = "") -> ParameterHold | None:
        return self._holds.get((name, id_))

    def moved(self, name: str, time: int) -> dict[str, Number]:
        """By id what stands at an event time (UTC ms) instead of where the parameter starts; the empty id is global."""
        return {id_: found.value for id_, found in self._moved[name].items() if time < found.until}

    def values_for(self, event: AdmittedEvent) -> tuple[Number, ...]:
        """The effective values for an event, in the scenario's order: always the same tuple while none of
        its own entities' parameters has moved."""
        time = event.event_time
        if not self._globals.since <= time < self._globals.until:
            self._globals = self._globals_at(time)
        values = self._globals.values
        changed: list[Number] | None = None
        for place, field, moved in self._per_entity[event.type]:
            found = moved.get(getattr(event.fields, field)) if moved else None
            if found is not None and time < found.until:
                changed = changed or list(values)
                changed[place] = found.value
        return values if changed is None else tuple(changed)

    def _parameter(self, name: str, id_: str) -> Parameter:
        parameter = self._parameters.get(name)
        if parameter is None:
            raise RefusedParameter(f"the scenario has no parameter {name}")
        if bool(id_) != bool(parameter.per):
            kept = f"kept for each {parameter.per}" if parameter.per else "global"
            raise RefusedParameter(f"{name} is {kept}; the key {'names an' if id_ else 'has no'} id")
        return parameter

    def _update_value(self, parameter: Parameter, id_: str, value: bytes | None) -> None:
        if value is None:
            self._values.pop((parameter.name, id_), None)
            return
        record = _decoded(value, ParameterValue)
        _refuse_other_key(record, parameter, id_)
        start = start_of(parameter, self._release, self._starting_values)
        if fault := check_move(parameter, record, start):
            raise RefusedParameter(f"{parameter.name}: {fault}")
        self._values[parameter.name, id_] = record

    def _update_hold(self, parameter: Parameter, id_: str, value: bytes | None) -> None:
        if value is None:
            self._holds.pop((parameter.name, id_), None)
            return
        record = _decoded(value, ParameterHold)
        _refuse_other_key(record, parameter, id_)
        if record.action == "pin" and record.value is None:
            raise RefusedParameter(f"{parameter.name}: a pin needs a value")
        if record.value is not None and (fault := fault_of_number(parameter, record.value)):
            raise RefusedParameter(f"{parameter.name}: {fault}")
        self._holds[parameter.name, id_] = record

    def _refresh(self, parameter: Parameter, id_: str) -> None:
        moved = self._moved[parameter.name]
        effective = self._effective(parameter, id_)
        if effective is None:
            moved.pop(id_, None)
        else:
            moved[id_] = effective
        if not parameter.per:
            self._globals = _STALE

    def _effective(self, parameter: Parameter, id_: str) -> _Effective | None:
        """What stands instead of the parameter's start, or None."""
        value, hold = self._values.get((parameter.name, id_)), self._holds.get((parameter.name, id_))
        if hold is not None and hold.value is not None:
            return _Effective(_typed(parameter, hold.value))
        if hold is not None and hold.action == "revert":
            return None
        if value is None or (parameter.scale and value.release != self._release):
            return None
        return _Effective(_typed(parameter, value.value), inf if hold is not None else value.expires_at)

    def _refresh_starts(self) -> None:
        self._starts: tuple[Number, ...] = tuple(
            start_of(each, self._release, self._starting_values).value for each in self._parameters.values()
        )
        self._globals = _STALE

    def _globals_at(self, time: int) -> "_Globals":
        values = list(self._starts)
        since, until = -inf, inf
        for name, place in self._places.items():
            found = None if self._parameters[name].per else self._moved[name].get("")
            if found is None:
                continue
            if time < found.until:
                values[place] = found.value
                until = min(until, found.until)
            else:
                since = max(since, found.until)
        return _Globals(tuple(values), since, until)


class _Globals(NamedTuple):
    """The values for entities of which nothing moved, for events from `since` on and before `until`."""

    values: tuple[Number, ...]
    since: float
    until: float


_STALE: Final = _Globals((), inf, -inf)


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
