"""The governor: no number moves but through it. What a tuner suggests becomes a record, a smaller one, or none.

Its laws: never out of bounds, never further than the step, never sooner than the interval, never without
evidence; a value that no evidence renews returns to where it started; a hold stands above all; a tick that
was evaluated is not evaluated again. Whoever feeds the aggregates can move a number only that far.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Final, NamedTuple

from fraudbrain_shared.controls.starting import Start, start_of, within_bounds
from fraudbrain_shared.records import ParameterHold, ParameterValue
from fraudbrain_shared.records.control import Number
from fraudbrain_shared.scenario.description import Parameter, Tuning

EXPIRED: Final = "expired"
COUNT: Final = "count"
"""The evidence that `min_count` is about: how many records a suggestion stands on."""


class Suggestion(NamedTuple):
    """What a tuner wants a parameter to be, and why. The evidence holds at least `count`."""

    value: Number
    evidence: Mapping[str, Number]


def govern(
    parameter: Parameter,
    last: ParameterValue | None,
    suggestion: Suggestion | None,
    tick: int,
    hold: ParameterHold | None = None,
    *,
    id_: str = "",
    start: Start | None = None,
) -> ParameterValue | None:
    """The record to publish at a tick (event time, UTC ms), or None: then all stays as it is.

    `last` is the newest record for this parameter and id; one that `check_move` refuses counts as none.
    A record that changes nothing is published only to renew a value, once half of its time is over.
    """
    tuning, start = parameter.tuning, start or start_of(parameter)
    if tuning is None or hold is not None or (parameter.scale and start.release is None):
        return None
    if last is not None and check_move(parameter, last, start):  # somebody else's, or of an older scenario
        last = None
    if last is not None and tick <= last.tick:
        return None
    if last is not None and last.release != start.release:  # set for scores of another scale
        last = None
    if last is not None and tick >= last.expires_at and last.value != start.value:
        return _record(parameter, tuning, id_, start, tick, start.value, last.value, EXPIRED, {})
    if suggestion is None or not _has_evidence(tuning, suggestion.evidence) or not isfinite(suggestion.value):
        return None
    if last is not None and tick - last.tick < tuning.min_interval_ms:
        return None
    present = last.value if last is not None else start.value
    value = _stepped(parameter, tuning, present, suggestion.value)
    if value == present and not _is_half_over(last, tuning, tick, start):
        return None
    return _record(parameter, tuning, id_, start, tick, value, present, tuning.tuner.kind, suggestion.evidence)


def check_move(parameter: Parameter, record: ParameterValue, start: Start | None = None) -> str | None:
    """Why a record cannot be the governor's, by the parameter's bounds and the record's own `previous`; or None.

    For whoever uses the value: that no other program wrote to the topic need not be believed.
    """
    tuning, start = parameter.tuning, start or start_of(parameter)
    if tuning is None:
        return f"{parameter.name} is moved by nobody"
    for number in (record.value, record.previous):
        if fault := fault_of_number(parameter, number):
            return fault
    if not record.tick < record.expires_at <= record.tick + tuning.expires_ms:
        return "it expires later than it may"
    if (record.release is None) != (parameter.scale is None):
        return "thresholds on the score name the release they are for, and no others"
    if record.cause == EXPIRED:
        returned = record.value == start.value or record.release != start.release
        return None if returned else f"expired, but to {record.value} and not to {start.value}"
    if record.cause != tuning.tuner.kind:
        return f"{record.cause} is not the tuner of {parameter.name}"
    if not _has_evidence(tuning, record.evidence):
        return "its evidence is too little"
    if _stepped(parameter, tuning, record.previous, record.value) != record.value:
        return f"from {record.previous} to {record.value} is further than one step"
    return None


def fault_of_number(parameter: Parameter, number: Number) -> str | None:
    """Why a parameter cannot have a value, or None."""
    if parameter.type == "int" and not isinstance(number, int):
        return f"{number} is no int"
    if not parameter.low <= number <= parameter.high:  # as for NaN, and for whole numbers that no float can hold
        return f"{number} is outside of {parameter.low} to {parameter.high}"
    return None


def _stepped(parameter: Parameter, tuning: Tuning, present: Number, wanted: Number) -> Number:
    """The wanted value as far as one step and the bounds allow."""
    step = abs(present) * tuning.max_step if tuning.max_step is not None else tuning.max_step_abs or 0.0
    if parameter.type == "int":
        step, wanted = max(1, int(step)), round(wanted)
    return within_bounds(parameter, min(max(wanted, present - step), present + step))


def _has_evidence(tuning: Tuning, evidence: Mapping[str, Number]) -> bool:
    return evidence.get(COUNT, 0) >= tuning.tuner.min_count


def _is_half_over(last: ParameterValue | None, tuning: Tuning, tick: int, start: Start) -> bool:
    """Whether a value that evidence still supports should be renewed. Where it started it needs no renewal."""
    return last is not None and last.value != start.value and 2 * (last.expires_at - tick) <= tuning.expires_ms


def _record(
    parameter: Parameter,
    tuning: Tuning,
    id_: str,
    start: Start,
    tick: int,
    value: Number,
    previous: Number,
    cause: str,
    evidence: Mapping[str, Number],
) -> ParameterValue:
    return ParameterValue(
        name=parameter.name,
        id=id_,
        value=value,
        previous=previous,
        tick=tick,
        expires_at=tick + tuning.expires_ms,
        cause=cause,
        evidence=dict(evidence),
        release=start.release,
    )
