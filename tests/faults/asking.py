"""A source that asks for decisions on its own events while others load the worker, and what its answers must be."""

import math
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any, Final, NamedTuple

import msgspec

from fraudbrain_client import Client, Decision, Event
from fraudbrain_deploy.load.stream import Template
from fraudbrain_shared.scenario.description import EventType
from tests.faults.stage import spread

NAME: Final = "ask-"
"""How the ids of its events begin."""

_START_S: Final = 60.0
_END_S: Final = 30.0


class Asked(NamedTuple):
    """A question and its answer. `decision` is JSON; `asked_ms` is the time of day, UTC."""

    event_id: str
    amount: int
    asked_ms: float
    seconds: float
    outcome: str
    reason: str | None
    decision: bytes | None


class Told(NamedTuple):
    """A decision as it stands in its topic, and when it was appended, UTC ms."""

    decision: bytes
    append_ms: int


class Asker:
    """Asks through Redis, `threads` questions at a time at most, so many a second together. For a process of its own.

    Each thread has a subject of its own.
    """

    def __init__(
        self, where: Mapping[str, Any], templates: Sequence[Template], subject: str, per_s: float, threads: int
    ) -> None:
        """`where` is what the client is made with, `subject` the field that names the subject."""
        self._client = Client(**where, start_s=_START_S)
        self._templates, self._subject = templates, subject
        self._every_s = threads / per_s
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads)
        self._running: list[Future[None]] = []
        self._is_over = threading.Event()
        self._asked: list[Asked] = []

    def begin(self) -> None:
        """Asks from now on."""
        self._running = [self._pool.submit(self._run, thread) for thread in range(self._threads)]

    def end(self) -> list[Asked]:
        """Asks no more; all that was asked."""
        self._is_over.set()
        for each in self._running:
            each.result(_END_S)
        never_sent = self._client.close(_END_S)
        assert not never_sent, f"{never_sent} events of the source never reached the broker"
        return self._asked

    def _run(self, thread: int) -> None:
        due_s = time.monotonic() - self._every_s * thread / self._threads  # one after the other, not all at once
        for number in count():
            due_s += self._every_s
            if self._is_over.wait(max(0.0, due_s - time.monotonic())):
                return
            self._ask(thread, number)

    def _ask(self, thread: int, number: int) -> None:
        template = self._templates[(number * self._threads + thread) % len(self._templates)]
        fields = template["fields"] | {self._subject: f"asker-{thread}"}
        asked_ms = time.time() * 1_000
        event = Event(f"{NAME}{thread}-{number}", template["type"], int(asked_ms), fields)
        answer = self._client.decide(event)
        self._asked.append(
            Asked(
                event.event_id,
                fields["amount"],
                asked_ms,
                answer.seconds,
                answer.outcome,
                None if answer.reason is None else answer.reason.value,
                None if answer.decision is None else msgspec.json.encode(answer.decision),
            )
        )


def check_answers(asked: Sequence[Asked], told: Mapping[str, Told], event_type: EventType) -> None:
    """Each event that was asked about is decided; an answer given in time is that decision, any other the safe default.

    Raises AssertionError.
    """
    decode = msgspec.json.Decoder(Decision).decode
    for each in asked:
        assert each.event_id in told, f"{each.event_id} was never decided"
        found = told[each.event_id]
        if each.decision is None:
            assert each.outcome == _safe_default(event_type, each.amount), each
            continue
        decision = decode(found.decision)
        assert decode(each.decision) == decision, each.event_id
        assert each.outcome == decision.outcome, each
        # What nobody had written yet cannot have been told; the broker's times are cut to milliseconds.
        assert found.append_ms <= each.asked_ms + each.seconds * 1_000, each


def summary(asked: Sequence[Asked], told: Mapping[str, Told], event_type: EventType) -> dict[str, object]:
    """How many were answered in time and how soon, and what the log says of the others.

    A decision may be in the log before the deadline and still come too late: it has yet to be acknowledged and to go
    by keeper and Redis. How long before tells what that way took at least. A decision is given after the deadline where
    the thread that waits for it was woken late, and found it there.
    """
    defaults = [each for each in asked if each.decision is None]
    given_ms = [round(each.seconds * 1_000, 1) for each in asked if each.decision is not None]
    left_ms = [each.asked_ms + event_type.deadline_ms - told[each.event_id].append_ms for each in defaults]
    on_its_way = [left for left in left_ms if left >= 0]
    return {
        "asked": len(asked),
        "safe_defaults": len(defaults),
        "safe_defaults_percent": round(100 * len(defaults) / max(1, len(asked)), 2),
        "reasons": dict(Counter(each.reason for each in defaults)),
        "outcomes_of_safe_defaults": dict(Counter(each.outcome for each in defaults)),
        "decided_after_the_deadline": len(defaults) - len(on_its_way),
        "decided_before_it_and_on_the_way": len(on_its_way),
        "by_at_most_ms": math.ceil(max(on_its_way, default=0)),
        "ms_until_a_decision_was_given": spread(given_ms),
        "given_after_the_deadline": sum(each > event_type.deadline_ms for each in given_ms),
    }


def _safe_default(event_type: EventType, amount: int) -> str:
    """By the scenario's words: the first whose bound the amount does not exceed."""
    return next(each.outcome for each in event_type.safe_default if each.up_to is None or amount <= each.up_to)
