"""Who waits for which decision: where request threads meet those that hear of decisions."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from fraudbrain_shared.records import Decision

KEPT: Final = 10_000


class Identity(NamedTuple):
    """What an event is known by."""

    subject: str
    event_id: str


class Expected:
    """A decision that somebody waits for, and what is known of its event meanwhile."""

    def __init__(self, decision: Decision | None = None) -> None:
        self.decision = decision
        self.is_acknowledged = False
        self.is_refused = False
        self.waiters = 0
        self._came = threading.Event()

    def came(self, decision: Decision) -> None:
        """The first is effective; the others are copies of it."""
        if self.decision is None:
            self.decision = decision
        self._came.set()

    def refused(self) -> None:
        """The broker will never have the event: nobody needs to wait any longer."""
        self.is_refused = True
        self._came.set()

    def wait(self, until_s: float) -> Decision | None:
        """The decision, unless it has not come by then on the monotonic clock."""
        if self.decision is None:
            self._came.wait(max(0.0, until_s - time.monotonic()))
        return self.decision


class Waiting:
    """The decisions that are waited for, and the last `kept` that nobody waits for any more, come or still to come."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._changed = threading.Condition()
        self._expected: dict[Identity, Expected] = {}
        self._before: OrderedDict[Identity, Expected] = OrderedDict()

    @contextmanager
    def for_decision(self, identity: Identity) -> Iterator[Expected]:
        """Expects the decision within the block, together with whoever else does. Afterwards a late one is kept."""
        with self._changed:
            expected = self._expected.get(identity)
            if expected is None:
                before = self._before.pop(identity, None)
                expected = self._expected[identity] = Expected(before.decision if before else None)
            expected.waiters += 1
            self._changed.notify_all()
        try:
            yield expected
        finally:
            with self._changed:
                expected.waiters -= 1
                if not expected.waiters:
                    del self._expected[identity]
                    self._keep(identity, expected)

    def _keep(self, identity: Identity, expected: Expected) -> None:
        self._before[identity] = expected
        if len(self._before) > self._kept:
            self._before.popitem(last=False)

    def is_ours(self, identity: Identity) -> bool:
        """Whether the decision is one that somebody waits for, or did."""
        return identity in self._expected or identity in self._before

    def came(self, decision: Decision) -> None:
        """Hands a decision to whoever waits for it."""
        identity = Identity(decision.subject, decision.event_id)
        with self._changed:
            expected = self._expected.get(identity) or self._before.get(identity)
            if expected is not None:
                expected.came(decision)

    def decision_of(self, identity: Identity) -> Decision | None:
        """What came, if anybody here had waited for it lately."""
        with self._changed:
            expected = self._expected.get(identity) or self._before.get(identity)
            return None if expected is None else expected.decision

    def still_open(self, within_s: float) -> list[Identity]:
        """Whose decisions are waited for and have not come; waits so long for the first."""
        with self._changed:
            if not (found := self._open()):
                self._changed.wait(within_s)
                found = self._open()
            return found

    def _open(self) -> list[Identity]:
        return [identity for identity, expected in self._expected.items() if expected.decision is None]
