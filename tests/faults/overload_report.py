"""What an overload was and what became of it: figures from the log, a source's answers and the worker's memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudbrain_deploy.load.stream import Plan, Stream
from fraudbrain_realtime.kafka.broker import CONSUMER
from fraudbrain_realtime.keeper.process import ROOM_BYTES
from fraudbrain_realtime.settings import Settings
from fraudbrain_shared.scenario.description import EventType
from tests.faults.asking import Asked, summary
from tests.faults.decided_log import Column, DecidedLog, Rows, caught_up_ms, undecided_at
from tests.faults.memory_watch import MemoryWatch

_KIB: Final = 1 << 10
_MIB: Final = 1 << 20
_DECISION_BYTES: Final = 2 * _KIB
_SUBJECT_BYTES: Final = 700  # at most, where there are five events of each


class Loaded(NamedTuple):
    """How many events were sent by each run of the driver, and at which rate around the burst; which run holds the
    burst, and which numbers of it; what was asked meanwhile; what the worker had counted in the end."""

    sent: dict[int, int]
    base_per_s: float
    burst: tuple[int, npt.NDArray[np.bool_]]
    asked: list[Asked]
    counts: dict[str, int]


class _Moments(NamedTuple):
    """UTC ms. The burst is from the append of its first event to that of its last."""

    begun: int
    burst: int
    burst_over: int
    caught_up: int
    end: int

    @property
    def phases(self) -> Sequence[tuple[str, int, int]]:
        """Each with its begin and its end."""
        return (
            ("before", self.begun, self.burst),
            ("from_the_burst_until_caught_up", self.burst, self.caught_up),
            ("afterwards", self.caught_up, self.end),
        )


@dataclass
class Observed:
    """All that was seen. Rates are in events a second."""

    event_type: EventType
    plan: Plan
    capacity: float
    filled_per_s: float
    loaded: Loaded
    log: DecidedLog
    rows: Rows
    memory: MemoryWatch

    @cached_property
    def at(self) -> _Moments:
        run, in_burst = self.loaded.burst
        of_run = self.rows.run == run
        event_ms = self.rows.event_ms[of_run]
        burst_ms = event_ms[in_burst[self.rows.number[of_run]]]
        over = int(burst_ms.max())
        caught_up = caught_up_ms(self.rows, over, self.event_type.deadline_ms)
        return _Moments(int(event_ms.min()), int(burst_ms.min()), over, caught_up, int(self.rows.event_ms.max()) + 1)

    @cached_property
    def backlog(self) -> int:
        """Undecided events at the end of the burst."""
        return undecided_at(self.rows, self.at.burst_over)


def report(observed: Observed) -> dict[str, object]:
    """The figures; zeros are what was checked before. Raises AssertionError where too much memory was taken."""
    return {
        "subjects": observed.plan.subjects,
        "capacity_events_per_s": round(observed.capacity),
        "sent_to_measure_it_events_per_s": round(observed.filled_per_s),
        "burst": _burst(observed),
        "recovery": _recovery(observed),
        "decisions": _decisions(observed),
        "ms_from_event_to_decision": _waits(observed),
        "answers": _answers(observed),
        "memory_mib": _memory(observed),
    }


def _burst(observed: Observed) -> dict[str, object]:
    at, rows = observed.at, observed.rows
    seconds = max(1, at.burst_over - at.burst) / 1_000
    sent, decided = (
        int(((times >= at.burst) & (times <= at.burst_over)).sum()) for times in (rows.event_ms, rows.decision_ms)
    )
    return {
        "seconds": round(seconds, 1),
        "events": sent,
        "events_per_s": round(sent / seconds),
        "times_the_capacity": round(sent / seconds / observed.capacity, 2),
        "decided_meanwhile_per_s": round(decided / seconds),
        "undecided_at_its_end": observed.backlog,
    }


def _recovery(observed: Observed) -> dict[str, object]:
    """Over as soon as no event has waited for longer than its deadline."""
    by_the_rates_s = observed.backlog / (observed.capacity - observed.loaded.base_per_s)
    took_s = (observed.at.caught_up - observed.at.burst_over) / 1_000
    return {
        "base_load_events_per_s": round(observed.loaded.base_per_s),
        "seconds_by_the_rates": round(by_the_rates_s, 2),
        "seconds": round(took_s, 2),
        "times_as_long": round(took_s / max(0.001, by_the_rates_s), 3),
    }


def _decisions(observed: Observed) -> dict[str, object]:
    """An event that was polled in time is not marked, though its decision be appended later."""
    rows = observed.rows
    over_ms = rows.waited_ms[~rows.is_overdue] - observed.event_type.deadline_ms
    return {
        "events": len(rows.run),
        "missing": 0,
        "out_of_order": 0,
        "degraded": 0,
        "made_twice": observed.log.repeated,
        "overdue": int(rows.is_overdue.sum()),
        "overdue_though_appended_before_the_deadline": 0,
        "not_overdue_though_polled_after_the_deadline": 0,
        "not_overdue_but_appended_after_the_deadline": int((over_ms > 0).sum()),
        "after_it_by_at_most_ms": int(over_ms.max(initial=0)),
    }


def _waits(observed: Observed) -> dict[str, object]:
    rows = observed.rows
    return {
        name: _quantiles(rows.waited_ms[(rows.event_ms >= begin) & (rows.event_ms < end)])
        for name, begin, end in observed.at.phases
    }


def _quantiles(waited_ms: Column) -> dict[str, int]:
    if not len(waited_ms):
        return {"count": 0}
    p50, p99, most = np.quantile(waited_ms, (0.5, 0.99, 1.0), method="higher")
    return {"count": len(waited_ms), "p50": int(p50), "p99": int(p99), "max": int(most)}


def _answers(observed: Observed) -> dict[str, object]:
    asked, told, event_type = observed.loaded.asked, observed.log.told, observed.event_type
    return {
        "deadline_ms": event_type.deadline_ms,
        "wrong_decisions": 0,
        "wrong_safe_defaults": 0,
        "never_decided": 0,
        "decisions_not_told_for_want_of_room": observed.loaded.counts.get("answers_dropped", 0),
        **{
            name: summary([each for each in asked if begin <= each.asked_ms < end], told, event_type)
            for name, begin, end in observed.at.phases
        },
    }


def _memory(observed: Observed) -> dict[str, object]:
    """Judged by what the queues may hold, and not by the halves of the burst: subjects that come for the first time
    make the second half larger, and rightly so. A queue that grew with the backlog would pass the bound by far."""
    at, memory, plan = observed.at, observed.memory, observed.plan
    before, most = memory.most(at.begun, at.burst), memory.most(at.burst, at.caught_up + 1)
    half = (at.burst + at.burst_over) // 2
    allowed_mib = _allowed_mib(plan.subjects)
    assert most.both_mib <= before.both_mib + allowed_mib, (before, most, allowed_mib)
    event_bytes = float(np.mean([len(event.value) for event in Stream(plan).take(len(plan.templates))]))
    return {
        "before": {"worker": before.worker_mib, "keeper": before.keeper_mib},
        "most": {"worker": most.worker_mib, "keeper": most.keeper_mib},
        "most_in_the_first_half_of_the_burst": round(memory.most(at.burst, half).both_mib, 1),
        "most_in_its_second_half": round(memory.most(half, at.burst_over + 1).both_mib, 1),
        "may_be_more_than_before_by": allowed_mib,
        "undecided_events_in_the_log": round(observed.backlog * event_bytes / _MIB, 1),
    }


def _allowed_mib(subjects: int) -> float:
    """Events fetched ahead, decisions on their way and what the keeper is to be told, each twice, since what is queued
    takes more than its bytes; and subjects that are new."""
    fetched = int(str(CONSUMER["queued.max.messages.kbytes"])) * _KIB
    queued = fetched + Settings.in_flight_limit * _DECISION_BYTES + ROOM_BYTES
    return round((2 * queued + subjects * _SUBJECT_BYTES) / _MIB, 1)
