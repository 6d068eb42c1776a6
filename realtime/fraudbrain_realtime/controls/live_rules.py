"""The rule sets that decide, each on the events of its time.

A worker that comes back finds in the topic what was published within years; it needs the newest, and of the others
those that its events meet. So a rule set is compiled when it is first asked for, and `settle` asks for the newest.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import msgspec

from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.controls import TimeLine
from fraudbrain_shared.decisions import DecisionCore
from fraudbrain_shared.records import RuleSet
from fraudbrain_shared.scenario import ScenarioError

Compile = Callable[[RuleSet], DecisionCore]
"""Makes a core of a rule set, or raises ScenarioError."""
Refused = Callable[[ControlRecord, Exception], None]
"""Hears of a record that does not fit the scenario, and why."""

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Published:
    """A rule set, the record that it came in, and its core once that was compiled."""

    record: ControlRecord | None
    rule_set: RuleSet
    core: DecisionCore | None = None


class LiveRules:
    """Begins with the scenario's `own` rules, by which is decided what was appended before any others acted.

    Where a record does not fit the scenario, `refused` hears of it and the rules before it stay.
    """

    def __init__(
        self, own: RuleSet, compile_core: Compile, refused: Callable[[ControlRecord, Exception], None]
    ) -> None:
        self._compile = compile_core
        self._refused = refused
        self._decode = msgspec.json.Decoder(RuleSet).decode
        self._core = compile_core(own)
        self._own = _Published(None, own, self._core)
        self._line = TimeLine(self._own)
        self._decided_to = -inf
        self.read_late = 0
        """How many rule sets came after events had been decided on which they should have acted."""
        self._forget_cores()

    def take(self, record: ControlRecord) -> None:
        """Puts a published rule set on its time; without a value, the scenario's own. Raises msgspec's errors."""
        if record.value is None:
            published = _Published(record, self._own.rule_set, self._own.core)
        else:
            published = _Published(record, self._decode(record.value))
        if self._line.add(published, record.append_time) <= self._decided_to:
            self.read_late += 1
            log.warning("rule set %s was read too late: it acts from the next event on", published.rule_set.version)
        self._forget_cores()

    def settle(self) -> None:
        """Compiles the newest rule set, so that no event waits for it."""
        self.newest()

    def newest(self) -> DecisionCore:
        """The core of the rule set that was published last, whether it acts yet or not."""
        while (core := self._core_of(self._line.newest)) is None:
            pass
        return core

    def at(self, append_time: int) -> DecisionCore:
        """The core for an event of that append time, UTC ms."""
        if append_time > self._decided_to:
            self._decided_to = append_time
        if not self._since <= append_time < self._until:
            self._look_up(append_time)
        return self._core

    def _look_up(self, append_time: int) -> None:
        while True:
            found = self._line.at(append_time)
            if (core := self._core_of(found.value)) is not None:
                self._core, self._since, self._until = core, found.since, found.until
                return

    def _core_of(self, published: _Published) -> DecisionCore | None:
        """None, and it is taken off the line, where it does not fit the scenario."""
        if published.core is None:
            try:
                published.core = self._compile(published.rule_set)
            except ScenarioError as error:
                self._line.remove(published)
                self._forget_cores()
                if published.record is not None:
                    self._refused(published.record, error)
        return published.core

    def _forget_cores(self) -> None:
        """After a change of the line the next event looks up what acts on it."""
        self._since, self._until = inf, -inf
