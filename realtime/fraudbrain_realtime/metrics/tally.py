"""What became of the events that a worker took, and how long that took."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from fraudbrain_realtime.metrics.histogram import Histogram
from fraudbrain_shared.admission import Rejected
from fraudbrain_shared.decisions import Undecided
from fraudbrain_shared.records import Decision

_COUNTED_AS: Final = {Undecided.FOLDED: "folded", Undecided.DUPLICATE: "duplicates"}


class Tally:
    """Counts since the process began. `now_ms` is the time of day, UTC ms."""

    def __init__(self, now_ms: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self._acked: list[int] = []
        self.ends: Counter[str] = Counter()
        """How events ended: in `decisions`, `dead_letters`, `folded`, `duplicates`, or `already_applied` before."""
        self.dead_letters: Counter[str] = Counter()
        """By reason."""
        self.degraded: Counter[str] = Counter()
        """Decisions by what they lacked; one that lacked several things counts under each."""
        self.degraded_decisions = 0
        self.overdue = 0
        self.loads_failed = 0
        self.turns = Histogram()
        """Seconds of each turn of the loop that took events, from then on until all was done."""
        self.latency = Histogram()
        """Seconds from an event's append time until what it ended in was acknowledged by the broker."""

    def decided(self, decision: Decision) -> None:
        self.ends["decisions"] += 1
        if decision.degraded:
            self.degraded_decisions += 1
            self.degraded.update(decision.degraded)
        if decision.overdue:
            self.overdue += 1

    def put_aside(self, why: Rejected) -> None:
        self.ends["dead_letters"] += 1
        self.dead_letters[why.reason.value] += 1

    def undecided(self, how: Undecided) -> None:
        self.ends[_COUNTED_AS[how]] += 1

    def already_applied(self) -> None:
        self.ends["already_applied"] += 1

    def acked(self, append_time: int) -> None:
        """Cheap: the time is taken once for all in `observe`, which is due before anything is waited for."""
        self._acked.append(append_time)

    def observe(self) -> None:
        """Measures what was acknowledged since the last call."""
        if self._acked:
            now_ms, observe = self._now_ms(), self.latency.observe
            for append_time in self._acked:
                observe((now_ms - append_time) / 1000)
            self._acked.clear()

    @property
    def counts(self) -> dict[str, int]:
        """The totals that are not 0."""
        rest = {"degraded": self.degraded_decisions, "overdue": self.overdue, "loads_failed": self.loads_failed}
        return {**self.ends, **{name: count for name, count in rest.items() if count}}
