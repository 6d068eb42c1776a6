"""From an aggregate to records: a tuner's suggestions at the ticks of a stretch of time, governed one by one."""

from collections.abc import Iterator
from typing import Any

from fraudbrain_shared.controls.governor import check_move, govern
from fraudbrain_shared.controls.starting import Start
from fraudbrain_shared.records import ParameterHold, ParameterValue
from fraudbrain_shared.scenario.description import Parameter
from fraudbrain_shared.tuners.kinds import Tuner


def moves(
    parameter: Parameter,
    tuner: Tuner,
    state: Any,
    last: ParameterValue | None,
    *,
    since: int,
    after: int,
    until: int,
    start: Start,
    hold: ParameterHold | None = None,
    id_: str = "",
) -> Iterator[ParameterValue]:
    """The records to publish for one parameter and id, for the ticks after `after` and up to `until` (UTC ms).

    `state` holds all that happened before `until`; `last` is the newest record so far. One long stretch
    gives the same records as the short ones that it is cut into. `since` is the event time from which on
    the tuner has watched, the same in all stretches: before it has warmed up it only lets values expire.
    """
    if hold is not None:
        return
    if last is not None and check_move(parameter, last, start):
        last = None
    due = tuner.due(state, max(after, since + tuner.warm_up_ms), until)
    next_due = next(due, None)
    tick = after
    while (sooner := _sooner(next_due, _expiry(parameter, last, tick, until, start))) is not None:
        tick = sooner
        suggestion = None
        if tick == next_due:
            suggestion, next_due = tuner.suggest(state, tick, start), next(due, None)
        record = govern(parameter, last, suggestion, tick, id_=id_, start=start)
        if record is not None:
            last = record
            yield record


def _sooner(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _expiry(parameter: Parameter, last: ParameterValue | None, tick: int, until: int, start: Start) -> int | None:
    """The first tick after `tick`, up to `until`, at which the value has expired; None if nothing expires."""
    if parameter.tuning is None or last is None or last.value == start.value or last.release != start.release:
        return None
    every_ms = parameter.tuning.every_ms
    expired = max(-(-last.expires_at // every_ms), tick // every_ms + 1) * every_ms
    return expired if expired <= until else None
