"""A worker's loop. In each turn: poll, admit, load, decide, apply, produce; flush and commit when due.

The order is the guarantee. A decision is made on the profile as it was before its event, the
event is folded before the next one of its subject is looked at, and nothing is flushed or committed
before what was decided from it is acknowledged (`checkpoint`). Where a profile cannot be loaded its event is decided
without it, and folded later (`held`).
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from fraudbrain_realtime.bulk_scan import BulkScan
from fraudbrain_realtime.checkpoint import Checkpoint
from fraudbrain_realtime.controls import ControlFeed, Controls
from fraudbrain_realtime.dead_letters import dead_letter
from fraudbrain_realtime.held import HeldEvents
from fraudbrain_realtime.limits import Limits
from fraudbrain_realtime.metrics import Tally
from fraudbrain_realtime.partition import PartitionState
from fraudbrain_realtime.ports import (
    Broker,
    Clock,
    Headers,
    Journal,
    Keeper,
    Message,
    ProfileStore,
    StoreUnavailable,
)
from fraudbrain_realtime.profiles import Profiles
from fraudbrain_shared.admission import Admission, AdmittedEvent, Rejected
from fraudbrain_shared.decisions import Application, DecisionEncoder
from fraudbrain_shared.decisions.application import Ending
from fraudbrain_shared.features import Profile, ProfileFold
from fraudbrain_shared.records import Decision, Reason, Source
from fraudbrain_shared.scenario import Scenario

log = logging.getLogger(__name__)

DRAIN_TIMEOUT_S: Final = 2.0
LONG_POLL_S: Final = 1.0  # half the grace after which controls act
CATCH_UP_S: Final = 0.05  # of a turn; events wait so long while those held are folded

_POISON: Final = Rejected(Reason.POISON_CRASH, "the process died twice while it had this event in hand")

Taken = tuple[Message, AdmittedEvent | Rejected]
AnswerKey = Callable[[str, str], str]
"""Under which key the decision on an event can be asked for, by its subject and id."""


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
        keeper: Keeper,
        journal: Journal,
        clock: Clock,
        epoch: int,
        events_topic: str,
        worker: str,
        build: str,
        limits: Limits,
        tally: Tally,
        answer_key: AnswerKey | None = None,
    ) -> None:
        self._admission = Admission(scenario)
        self._application = Application(scenario, fold)
        self._controls = controls
        self._feed = feed
        self._broker = broker
        self._store = store
        self._keeper = keeper
        self._journal = journal
        self._clock = clock
        self._epoch = epoch
        self._dead_letter = partial(dead_letter, topic=events_topic, worker=worker, build=build)
        self._limits = limits
        self._answer_key = answer_key
        self._answers: dict[str, bytes] = {}
        self._encode = DecisionEncoder().encode
        self._partitions: dict[int, PartitionState] = {}
        self._scans: dict[int, BulkScan] = {}
        self._checkpoints: dict[int, Checkpoint] = {}
        self._tally = tally

    def turn(self, wait_s: float) -> int:
        """Takes what has come, within `wait_s`, and decides it; how many events that were."""
        self._keeper.poll()
        messages = self._poll(wait_s)
        begun_s = self._clock()
        taken = self._admit(messages)
        self._load(taken)
        for message, event in taken:
            self._feed.enter(message.step)
            self._decide(message, event)
        for state in self._partitions.values():
            state.profiles.keep_to_limit()
        self._fold_held_of(self._partitions)
        for scan in self._scans.values():
            scan.advance()
        for checkpoint in self._checkpoints.values():
            checkpoint.advance()
        if self._answers:
            self._keeper.answer(self._answers)
            self._answers = {}
        self._tally.observe()
        if messages:
            self._tally.turns.observe(self._clock() - begun_s)
        return len(messages)

    def _poll(self, wait_s: float) -> Sequence[Message]:
        """New events. Where giving up a partition took long, rules may have come meanwhile that act on them."""
        begun_s = self._clock()
        messages = self._broker.poll(wait_s, take=self.takes_events)
        if self._clock() - begun_s > LONG_POLL_S:
            self._feed.refresh()
        return messages

    def _admit(self, messages: Sequence[Message]) -> list[Taken]:
        taken: list[Taken] = []
        for message in messages:
            state = self._partitions.get(message.partition)
            if state is None:
                continue
            if message.offset in state.hand.fatal:
                taken.append((message, _POISON))
            else:
                state.hand.take(message.offset)
                taken.append((message, self._admission.admit(message.value, message.key, message.append_time)))
                state.hand.put_down()
        return taken

    def _load(self, taken: Sequence[Taken]) -> None:
        """Brings the profiles that memory lacks, those of one poll together."""
        missing: defaultdict[int, dict[str, float]] = defaultdict(dict)
        for message, event in taken:
            if not isinstance(event, Rejected):
                subject = self._admission.subject(event)
                state = self._partitions[message.partition]
                if state.profiles.lacks(subject) and subject not in state.held:
                    limits = self._limits
                    missing[message.partition][subject] = (
                        limits.replayed_load_timeout_s if message.is_replayed else limits.load_timeout_s
                    )
        for partition, subjects in missing.items():
            self._load_rows(self._partitions[partition], sorted(subjects), max(subjects.values()))

    def _load_rows(self, state: PartitionState, subjects: Sequence[str], within_s: float) -> None:
        try:
            rows = self._store.load(state.number, subjects, within_s)
        except StoreUnavailable:
            self._tally.loads_failed += 1
            return
        for subject in subjects:
            state.profiles.loaded(subject, rows.get(subject))

    def _decide(self, message: Message, event: AdmittedEvent | Rejected) -> None:
        state = self._partitions[message.partition]
        state.hand.take(message.offset)
        ending = self._ending(state, message, event)
        state.hand.put_down()  # at once: sending may wait for the broker, and the next event may be fatal
        if ending is not None:
            self._end(state, message, ending)
        state.position = message.offset + 1

    def _ending(self, state: PartitionState, message: Message, event: AdmittedEvent | Rejected) -> Ending | None:
        """How the event ends, decided and folded; None where that was told before, or comes to light later."""
        if isinstance(event, Rejected):
            return event
        subject = self._admission.subject(event)
        profile = None if subject in state.held else state.profiles.get(subject)
        if profile is None:
            return self._decide_without_profile(state, message, event, subject)
        if (profile.epoch, profile.last_applied) >= (self._epoch, message.offset):
            self._tally.already_applied()
            return None
        source = Source(self._epoch, message.partition, message.offset, message.append_time)
        ending = self._application.apply(
            profile,
            event,
            message.value or b"",
            lambda event, before, readings: self._controls.decide(event, before, source, message, readings),
        )
        profile.epoch, profile.last_applied = self._epoch, message.offset
        state.profiles.changed(profile)
        return ending

    def _end(self, state: PartitionState, message: Message, ending: Ending) -> None:
        if isinstance(ending, Decision):
            self._produce_decision(state, message, ending)
        elif isinstance(ending, Rejected):
            self._put_aside(state, message, ending)
        else:
            self._tally.undecided(ending)

    def _decide_without_profile(
        self, state: PartitionState, message: Message, event: AdmittedEvent, subject: str
    ) -> Decision | None:
        """Decides with everything unknown that the profile would say; the event is folded once it can be loaded. How
        one ends that is not decided, and whether it contradicts an earlier one, is known only then."""
        state.held.hold(subject, message.offset)
        if not self._application.is_decided(event):
            return None
        source = Source(self._epoch, message.partition, message.offset, message.append_time)
        return self._controls.decide_without_profile(event, subject, source, message)

    def _fold_held_of(self, partitions: Iterable[int]) -> bool:
        """Goes on with folding what is held of these partitions; whether anything was."""
        holding = [self._partitions[number] for number in partitions if number in self._partitions]
        holding = [state for state in holding if state.held]
        for state in holding:
            self._catch_up(state)
        return bool(holding)

    def _catch_up(self, state: PartitionState) -> None:
        """Folds held events once the store is back. No event is taken meanwhile, so that the last is reached."""

        def read_again(offset: int, end: int) -> Sequence[Message]:
            return self._broker.read_again(state.number, offset, end)

        fold = partial(self._fold_held, state)
        deadline = self._clock() + CATCH_UP_S
        while state.held and state.held.catch_up(read_again, fold, state.position) and self._clock() < deadline:
            pass

    def _fold_held(self, state: PartitionState, message: Message, profile: Profile) -> None:
        if (profile.epoch, profile.last_applied) >= (self._epoch, message.offset):
            return
        state.hand.take(message.offset)
        event = self._admission.admit(message.value, message.key, message.append_time)
        assert not isinstance(event, Rejected), "it was admitted before"
        ending = self._application.apply(profile, event, message.value or b"", None)
        state.hand.put_down()
        profile.epoch, profile.last_applied = self._epoch, message.offset
        if not self._application.is_decided(event) or isinstance(ending, Rejected):
            self._end(state, message, ending)

    def _produce_decision(self, state: PartitionState, message: Message, decision: Decision) -> None:
        headers = [
            ("event_id", decision.event_id.encode()),
            ("source", f"{self._epoch}/{message.partition}/{message.offset}".encode()),
        ]
        value = self._encode(decision)
        acked = partial(self._acked, state, message.offset, message.append_time)
        if self._answer_key is not None:
            acked = partial(self._answer, acked, self._answer_key(decision.subject, decision.event_id), value)
        self._send(state, message, "decisions", value, headers, message.partition, acked)
        self._tally.decided(decision)

    def _put_aside(self, state: PartitionState, message: Message, why: Rejected) -> None:
        value, headers = self._dead_letter(message, why, versions=self._controls.versions_on(message))
        acked = partial(self._acked, state, message.offset, message.append_time)
        self._send(state, message, "dead-letters", value, headers, None, acked)
        self._tally.put_aside(why)
        log.debug("dead letter %d/%d: %s, %s", message.partition, message.offset, why.reason.value, why.detail)

    def _send(
        self,
        state: PartitionState,
        message: Message,
        topic: str,
        value: bytes,
        headers: Headers,
        partition: int | None,
        acked: Callable[[], None],
    ) -> None:
        state.outstanding.sent(message.offset)
        self._broker.produce(topic, message.key, value, headers, partition, acked)

    def _acked(self, state: PartitionState, offset: int, append_time: int) -> None:
        state.outstanding.acked(offset)
        self._tally.acked(append_time)

    def _answer(self, acked: Callable[[], None], key: str, decision: bytes) -> None:
        """Only what is written for good is told to whoever asks for it."""
        acked()
        self._answers[key] = decision

    # Ownership

    def assigned(self, starts: Mapping[int, int]) -> None:
        for number, start in starts.items():
            profiles = Profiles(self._epoch, self._limits.profiles, self._limits.warm)
            held = HeldEvents(number, profiles, self._keeper, self._clock)
            state = PartitionState(number, start, profiles, held, self._journal.open(number))
            self._partitions[number] = state
            self._scans[number] = BulkScan(state, self._keeper, self._clock)
            self._checkpoints[number] = Checkpoint(
                state,
                self._broker,
                self._keeper,
                self._clock,
                epoch=self._epoch,
                interval_s=self._limits.flush_interval_s,
            )
        self._share_memory()
        log.info("assigned %s", dict(starts))

    def revoked(self, partitions: Iterable[int]) -> None:
        """What is acknowledged is flushed and its commit sent; the rest is decided again by the next owner."""
        self._broker.drain(DRAIN_TIMEOUT_S)
        leaving = [self._checkpoints[number] for number in partitions if number in self._checkpoints]
        deadline = self._clock() + DRAIN_TIMEOUT_S
        while True:
            self._keeper.poll(0.01)
            if self._fold_held_of(partitions):
                self._broker.drain(DRAIN_TIMEOUT_S)  # a conflict may have come to light
            for checkpoint in leaving:
                checkpoint.finish()
            if all(checkpoint.flushed for checkpoint in leaving) or self._clock() >= deadline:
                break
        self._drop(partitions)
        log.info("revoked %s", sorted(partitions))

    def lost(self, partitions: Iterable[int]) -> None:
        self._drop(partitions)
        log.warning("lost %s", sorted(partitions))

    def _drop(self, partitions: Iterable[int]) -> None:
        for number in partitions:
            for of_partition in (self._partitions, self._scans, self._checkpoints):
                of_partition.pop(number, None)
        self._share_memory()

    def _share_memory(self) -> None:
        for state in self._partitions.values():
            state.profiles.limit = self._limits.profiles // len(self._partitions)
            state.profiles.warm.most = self._limits.warm // len(self._partitions)

    # Stopping

    def put_down(self) -> None:
        """No event is in hand: should the process end now, none is to blame."""
        for state in self._partitions.values():
            state.hand.put_down()

    def settle(self, deadline_s: float) -> bool:
        """Takes no more events, flushes and commits what was decided; whether all of it was in time."""
        while True:
            self._keeper.poll()
            self._fold_held_of(self._partitions)
            for checkpoint in self._checkpoints.values():
                checkpoint.finish()
            if all(checkpoint.settled for checkpoint in self._checkpoints.values()):
                return True
            if self._clock() >= deadline_s:
                return False
            self._broker.poll(0.01, take=False)

    @property
    def counts(self) -> dict[str, int]:
        """What became of the events so far, and what is held now."""
        now = {
            "held": sum(len(state.held) for state in self._partitions.values()),
            "profiles": sum(len(state.profiles) for state in self._partitions.values()),
        }
        return {**self._tally.counts, **{name: count for name, count in now.items() if count}}

    @property
    def takes_events(self) -> bool:
        """Whether more are taken: not while too much waits for the store."""
        states = self._partitions.values()
        return (
            sum(len(state.held) for state in states) < self._limits.held
            and sum(state.profiles.unsaved for state in states) < self._limits.profiles
        )

    def positions(self) -> dict[int, int]:
        """The next offset to be decided of each partition owned."""
        return {number: state.position for number, state in self._partitions.items()}

    def flush_ages(self) -> dict[str, float]:
        """For how many seconds something has waited to be flushed, by partition owned."""
        return {str(number): checkpoint.flush_age_s for number, checkpoint in sorted(self._checkpoints.items())}

    @property
    def problems(self) -> tuple[str, ...]:
        """What an operator must see to, in words."""
        if self.takes_events:
            return ()
        return ("no more events are taken until the profile store is back: too many wait for it",)

    def offsets(self) -> dict[str, int]:
        """The committed next offset of each partition owned."""
        return {str(number): state.committed for number, state in sorted(self._partitions.items())}
