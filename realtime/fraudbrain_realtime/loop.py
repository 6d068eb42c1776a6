"""A worker's loop. In each turn: poll, admit, load, decide, apply, produce; flush and commit when due.

The order is the guarantee. A decision is made on the profile as it was before its event, the
event is folded before the next one of its subject is looked at, and nothing is flushed or committed
before what was decided from it is acknowledged (`checkpoint`).
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from fraudbrain_realtime.checkpoint import Checkpoint
from fraudbrain_realtime.controls import ControlFeed, Controls
from fraudbrain_realtime.dead_letters import dead_letter
from fraudbrain_realtime.partition import PartitionState
from fraudbrain_realtime.ports import Broker, Clock, Headers, Message, ProfileStore, StoreUnavailable
from fraudbrain_shared.admission import Admission, AdmittedEvent, Rejected
from fraudbrain_shared.decisions import Application, DecisionEncoder, Undecided
from fraudbrain_shared.features import Profile, ProfileFold, decode_profile
from fraudbrain_shared.features.reads import Reading
from fraudbrain_shared.records import Decision, Source
from fraudbrain_shared.scenario import Scenario

log = logging.getLogger(__name__)

DRAIN_TIMEOUT_S = 2.0

_COUNTED_AS = {Undecided.FOLDED: "folded", Undecided.DUPLICATE: "duplicates"}

Taken = tuple[Message, AdmittedEvent | Rejected]


class Loop:
    """Decides the events of the partitions that this worker owns."""

    def __init__(
        self,
        *,
        scenario: Scenario,
        fold: ProfileFold,
        controls: Controls,
        feed: ControlFeed,
        broker: Broker,
        store: ProfileStore,
        clock: Clock,
        epoch: int,
        events_topic: str,
        worker: str,
        build: str,
        flush_interval_s: float,
        load_timeout_s: float,
    ) -> None:
        self._admission = Admission(scenario)
        self._application = Application(scenario, fold)
        self._controls = controls
        self._feed = feed
        self._broker = broker
        self._store = store
        self._clock = clock
        self._epoch = epoch
        self._dead_letter = partial(dead_letter, topic=events_topic, worker=worker, build=build)
        self._flush_interval_s = flush_interval_s
        self._load_timeout_s = load_timeout_s
        self._encode = DecisionEncoder().encode
        self._partitions: dict[int, PartitionState] = {}
        self._checkpoints: dict[int, Checkpoint] = {}
        self.counts: Counter[str] = Counter()

    def turn(self, wait_s: float) -> None:
        """Takes what has come, within `wait_s`, and decides it."""
        taken = self._admit(self._broker.poll(wait_s))
        self._load(taken)
        for message, event in taken:
            self._feed.enter(message.step)
            self._decide(message, event)
        for checkpoint in self._checkpoints.values():
            checkpoint.advance()

    def _admit(self, messages: Sequence[Message]) -> list[Taken]:
        admit = self._admission.admit
        return [
            (message, admit(message.value, message.key, message.append_time))
            for message in messages
            if message.partition in self._partitions
        ]

    def _load(self, taken: Sequence[Taken]) -> None:
        """Brings the profiles that memory lacks, those of one poll together."""
        missing: defaultdict[int, set[str]] = defaultdict(set)
        for message, event in taken:
            if not isinstance(event, Rejected):
                subject = self._admission.subject(event)
                if subject not in self._partitions[message.partition].profiles:
                    missing[message.partition].add(subject)
        for partition, subjects in missing.items():
            rows = self._load_rows(partition, sorted(subjects))
            profiles = self._partitions[partition].profiles
            for subject in subjects:
                row = rows.get(subject)
                profiles[subject] = Profile(subject) if row is None else _own_profile(subject, row)

    def _load_rows(self, partition: int, subjects: Sequence[str]) -> dict[str, bytes]:
        """Asks until the store answers; after the deadline the worker stops rather than guess."""
        deadline = self._clock() + self._load_timeout_s
        while True:
            try:
                return self._store.load(partition, subjects)
            except StoreUnavailable:
                if self._clock() >= deadline:
                    raise
                self.counts["load_retries"] += 1

    def _decide(self, message: Message, event: AdmittedEvent | Rejected) -> None:
        state = self._partitions[message.partition]
        if isinstance(event, Rejected):
            self._put_aside(state, message, event)
        else:
            subject = self._admission.subject(event)
            profile = state.profiles[subject]
            if (profile.epoch, profile.last_applied) < (self._epoch, message.offset):
                self._apply(state, message, event, profile)
                profile.epoch, profile.last_applied = self._epoch, message.offset
                state.dirty.add(subject)
            else:
                self.counts["already_applied"] += 1
        state.position = message.offset + 1

    def _apply(self, state: PartitionState, message: Message, event: AdmittedEvent, profile: Profile) -> None:
        """Decides and folds a new event, and sends what was decided."""

        def decide(event: AdmittedEvent, before: Profile, readings: Sequence[Reading]) -> Decision:
            source = Source(self._epoch, message.partition, message.offset, message.append_time)
            return self._controls.decide(event, before, source, message, readings)

        ending = self._application.apply(profile, event, message.value or b"", decide)
        if isinstance(ending, Decision):
            self._produce_decision(state, message, ending)
        elif isinstance(ending, Rejected):
            self._put_aside(state, message, ending)
        else:
            self.counts[_COUNTED_AS[ending]] += 1

    def _produce_decision(self, state: PartitionState, message: Message, decision: Decision) -> None:
        headers = [
            ("event_id", decision.event_id.encode()),
            ("source", f"{self._epoch}/{message.partition}/{message.offset}".encode()),
        ]
        self._send(state, message, "decisions", self._encode(decision), headers, message.partition)
        self.counts["decisions"] += 1
        if decision.degraded:
            self.counts["degraded"] += 1

    def _put_aside(self, state: PartitionState, message: Message, why: Rejected) -> None:
        value, headers = self._dead_letter(message, why)
        self._send(state, message, "dead-letters", value, headers, None)
        self.counts["dead_letters"] += 1
        log.debug("dead letter %d/%d: %s, %s", message.partition, message.offset, why.reason.value, why.detail)

    def _send(
        self,
        state: PartitionState,
        message: Message,
        topic: str,
        value: bytes,
        headers: Headers,
        partition: int | None,
    ) -> None:
        state.outstanding.sent(message.offset)
        acked = partial(state.outstanding.acked, message.offset)
        self._broker.produce(topic, message.key, value, headers, partition, acked)

    # Ownership

    def assigned(self, starts: Mapping[int, int]) -> None:
        for number, start in starts.items():
            state = self._partitions[number] = PartitionState(number, start)
            self._checkpoints[number] = Checkpoint(
                state, self._broker, self._store, self._clock, epoch=self._epoch, interval_s=self._flush_interval_s
            )
        log.info("assigned %s", dict(starts))

    def revoked(self, partitions: Iterable[int]) -> None:
        """What is acknowledged is flushed and its commit sent; the rest is decided again by the next owner."""
        self._broker.drain(DRAIN_TIMEOUT_S)
        for number in partitions:
            if number in self._checkpoints:
                self._checkpoints[number].finish()
            self._drop(number)
        log.info("revoked %s", sorted(partitions))

    def lost(self, partitions: Iterable[int]) -> None:
        for number in partitions:
            self._drop(number)
        log.warning("lost %s", sorted(partitions))

    def _drop(self, number: int) -> None:
        self._partitions.pop(number, None)
        self._checkpoints.pop(number, None)

    # Stopping

    def settle(self, deadline_s: float) -> bool:
        """Takes no more events, flushes and commits what was decided; whether all of it was in time."""
        self._broker.pause()
        while True:
            for checkpoint in self._checkpoints.values():
                checkpoint.finish()
            if all(checkpoint.settled for checkpoint in self._checkpoints.values()):
                return True
            if self._clock() >= deadline_s:
                return False
            self._broker.poll(0.01)

    def offsets(self) -> dict[str, int]:
        """The committed next offset of each partition owned."""
        return {str(number): state.committed for number, state in sorted(self._partitions.items())}


def _own_profile(subject: str, row: bytes) -> Profile:
    """The row's profile. Its own subject is the second check that no other row's value was handed out."""
    profile = decode_profile(row)
    if profile.subject != subject:
        raise RuntimeError("the profile store returned another subject's row")
    return profile
