"""Asking fraudbrain: an event in, an answer out, by the deadline of its type whatever is away."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import msgspec

from fraudbrain_client.answer import Answer, NotDecided
from fraudbrain_client.decisions_topic import DecisionsTopic
from fraudbrain_client.events_topic import EventsTopic, checked_bootstrap
from fraudbrain_client.redis_answers import RedisAnswers
from fraudbrain_client.waiting import Expected, Identity, Waiting
from fraudbrain_shared.admission import Admission, AdmittedEvent, Rejected
from fraudbrain_shared.records import Decision, Event
from fraudbrain_shared.safe_default import safe_defaults
from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.topics import Names

START_S: Final = 5.0
_FLUSH_S: Final = 10.0


class NotAdmitted(ValueError):
    """The scenario does not admit the event, so it would become a dead letter; or it decides no such events.

    The text names fields and types, never values.
    """


class NoSuchSpace(ValueError):
    """The broker answers, but has no such deployment."""


class Client:
    """One connection to a deployment, for all threads of a process: made after the process has forked, if it does.

    `scenario` is a built-in scenario's name or a folder, the same as the workers'. `space` is the deployment's name if
    it is not the scenario's. With `redis`, its URL, decisions are asked for there, and read from their topic only while
    it is away; without, always read from the topic. Waits at most `start_s` for the connections: a broker that is
    away makes no error, since there is a safe default.

    Raises ScenarioError for a scenario that is unknown or wrong, ValueError for what is no address, NoSuchSpace.
    """

    def __init__(
        self,
        scenario: str,
        *,
        bootstrap: str = "127.0.0.1:9092",
        space: str | None = None,
        redis: str | None = None,
        start_s: float = START_S,
    ) -> None:
        described = load_scenario(scenario)
        names = Names(space or described.name)
        self._types = described.event_types
        self._subject = described.subject
        self._admission = Admission(described)
        self._safe_default = safe_defaults(described)
        self._waiting = Waiting()
        self._is_closed = False
        deadline_s = time.monotonic() + start_s
        self._ends: list[Callable[[], object]] = []
        try:
            self._events = EventsTopic(checked_bootstrap(bootstrap), names)
            self._ends.append(lambda: self._events.close(0.0))
            if self._events.exists(start_s) is False:
                raise NoSuchSpace(f"there is no space {names.space} at {bootstrap}")
            longest_ms = max((each.deadline_ms for each in self._types.values()), default=0)
            decisions = DecisionsTopic(bootstrap, names, self._waiting, back_ms=longest_ms)
            self._ends.append(decisions.close)
            self._redis = None
            if redis is not None:
                self._redis = RedisAnswers(
                    redis, names, self._waiting, on_away=decisions.follow, on_back=decisions.rest
                )
                self._redis.start()
                self._ends.append(self._redis.close)
            else:
                decisions.follow()
                decisions.wait_until_following(max(0.0, deadline_s - time.monotonic()))
        except BaseException:
            self._end()
            raise

    def decide(self, event: Event) -> Answer:
        """The answer for an event, by its type's deadline from now on. The same event may be asked for again: it
        is decided once.

        Raises NotAdmitted.
        """
        begun_s = time.monotonic()
        value, admitted = self._admitted(event)
        event_type = self._types[event.type]
        if not event_type.decide:
            raise NotAdmitted(f"events of type {event.type} are not decided: `tell` sends them")
        subject = self._admission.subject(admitted)
        with self._waiting.for_decision(Identity(subject, event.event_id)) as expected:
            is_sent = self._events.send(subject.encode(), value, expected)
            if is_sent:
                expected.wait(begun_s + event_type.deadline_ms / 1_000)
            decision = expected.decision
        seconds = time.monotonic() - begun_s
        if decision is not None:
            return Answer(decision.outcome, seconds, decision)
        reason = _reason(expected) if is_sent else NotDecided.NOT_SENT
        return Answer(self._safe_default(admitted), seconds, reason=reason)

    def tell(self, event: Event) -> bool:
        """Sends an event without waiting for what becomes of it; whether there was room for it. Raises NotAdmitted."""
        value, admitted = self._admitted(event)
        return self._events.send(self._admission.subject(admitted).encode(), value)

    def decision_of(self, subject: str, event_id: str) -> Decision | None:
        """What was decided about an event, also when it came too late for the answer: with Redis for a quarter of an
        hour after the decision, whoever had asked; without, for the last 10,000 events that were asked for here."""
        identity = Identity(subject, event_id)
        found = self._waiting.decision_of(identity)
        if found is None and self._redis is not None:
            found = self._redis.decision_of(identity)
        return found

    def close(self, timeout_s: float = _FLUSH_S) -> int:
        """Waits until the broker has all events, or the time is over; how many it never had. Harmless a second time."""
        left = 0 if self._is_closed else self._events.close(timeout_s)
        self._is_closed = True
        self._end()
        return left

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _admitted(self, event: Event) -> tuple[bytes, AdmittedEvent]:
        if self._is_closed:
            raise RuntimeError("the client is closed")
        value = msgspec.json.encode(event)
        subject = event.fields.get(self._subject)
        key = subject.encode() if isinstance(subject, str) else None
        admitted = self._admission.admit(value, key, time.time_ns() // 1_000_000)
        if isinstance(admitted, Rejected):
            raise NotAdmitted(f"{admitted.reason}: {admitted.detail}")
        return value, admitted

    def _end(self) -> None:
        while self._ends:
            self._ends.pop()()


def _reason(expected: Expected) -> NotDecided:
    if expected.is_refused:
        return NotDecided.NOT_SENT
    return NotDecided.LATE if expected.is_acknowledged else NotDecided.NOT_ACKNOWLEDGED
