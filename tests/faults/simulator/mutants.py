"""The protocol with one step left out or done wrongly, each a patch of the real code's steps.

A simulator that lets one of them live would prove nothing of the protocol as it is. Where the step is an adapter's, its
simulation is patched.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any, Final

from fraudbrain_realtime.bulk_scan import BulkScan
from fraudbrain_realtime.checkpoint import Checkpoint, Snapshot
from fraudbrain_realtime.controls import Controls
from fraudbrain_realtime.held import HeldEvents
from fraudbrain_realtime.journal import MappedHand
from fraudbrain_realtime.loop import Loop
from fraudbrain_realtime.partition import Outstanding, PartitionState
from fraudbrain_realtime.ports import Message, StoreUnavailable
from fraudbrain_realtime.profiles import PUT_AWAY_AT_ONCE, Profiles
from fraudbrain_shared.admission import AdmittedEvent, Rejected
from fraudbrain_shared.features import Profile, decode_profile
from tests.faults.simulator.broker import Request, SimBroker
from tests.faults.simulator.shop import ADMISSION
from tests.faults.simulator.store import Cell, SimReads, SimStore


class Patches:
    """Attributes of classes that are replaced for a while."""

    def __init__(self) -> None:
        self._real: list[tuple[type, str, object]] = []

    def __call__(self, owner: type, name: str, wrong: object) -> None:
        self._real.append((owner, name, owner.__dict__[name]))
        setattr(owner, name, wrong)

    def undo(self) -> None:
        while self._real:
            setattr(*self._real.pop())


Mutant = Callable[[Patches], None]

MUTANTS: Final[dict[str, Mutant]] = {}
"""By name; what each means is its docstring."""


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """While this lasts, the code is the mutant."""
    patches = Patches()
    MUTANTS[name](patches)
    try:
        yield
    finally:
        patches.undo()


def mutant(apply: Mutant) -> Mutant:
    MUTANTS[apply.__name__.replace("_", "-")] = apply
    return apply


# The order: acknowledged, flushed, committed


@mutant
def flushed_before_acked(patch: Patches) -> None:
    """Rows are written before the decisions that they follow from are acknowledged."""
    patch(Outstanding, "all_acked_below", lambda self, offset: True)


@mutant
def acked_up_to(patch: Patches) -> None:
    """An acknowledgement is taken for one of all that was sent before, on other topics too."""

    def acked(self: Outstanding, offset: int) -> None:
        self._sent = sorted(each for each in self._sent if each > offset)

    patch(Outstanding, "acked", acked)


@mutant
def dead_letters_not_waited_for(patch: Patches) -> None:
    """Only decisions are waited for before rows are written."""
    real = Loop._put_aside

    def put_aside(self: Loop, state: PartitionState, message: Message, why: Rejected) -> None:
        real(self, state, message, why)
        state.outstanding.acked(message.offset)

    patch(Loop, "_put_aside", put_aside)


@mutant
def committed_before_flushed(patch: Patches) -> None:
    """The offset is committed once events are decided."""

    def commit(self: Checkpoint) -> None:
        state = self._state
        if not self._commit_outstanding and state.position != state.committed:
            self._commit_outstanding = True
            self._broker.commit({state.number: state.position}, self._committed)

    patch(Checkpoint, "_commit_when_flushed", commit)


@mutant
def committed_as_far_as_decided(patch: Patches) -> None:
    """What is committed is the position when the flush ended, not when its rows were copied."""
    real = Checkpoint._saved

    def saved(self: Checkpoint, is_done: bool) -> None:
        if self._snapshot is not None:
            self._snapshot.next_offset = self._state.position
        real(self, is_done)

    patch(Checkpoint, "_saved", saved)


@mutant
def no_taken_for_yes(patch: Patches) -> None:
    """Rows count as written though the keeper answered no."""
    real = Checkpoint._saved
    patch(Checkpoint, "_saved", lambda self, is_done: real(self, True))


@mutant
def reply_to_an_owner_before(patch: Patches) -> None:
    """A keeper's late answer is given to whoever has the partition now, not to who asked."""
    real, begin = Checkpoint._saved, Checkpoint.__init__
    current: dict[tuple[int, int], Checkpoint] = {}

    def init(self: Checkpoint, *args: Any, **named: Any) -> None:
        begin(self, *args, **named)
        current[id(self._broker), self._state.number] = self

    patch(Checkpoint, "__init__", init)
    patch(Checkpoint, "_saved", lambda self, is_done: real(current[id(self._broker), self._state.number], is_done))


@mutant
def commit_of_a_lost_partition(patch: Patches) -> None:
    """What was decided of a lost partition is committed, by a broker that lets it pass till another owns it."""
    real = Loop.lost

    def lost(self: Loop, partitions: Sequence[int]) -> None:
        for number in partitions:
            if number in self._partitions:
                self._broker.commit({number: self._partitions[number].position}, lambda _: None)
        real(self, partitions)

    def applied(self: SimBroker, request: Request) -> bool:
        if self._group.lease[request.partition] == request.lease:
            self._group.committed[request.partition] = request.offset
        return True

    patch(Loop, "lost", lost)
    patch(SimBroker, "_applied", applied)


@mutant
def revoked_without_flush(patch: Patches) -> None:
    """A partition is given up with a commit of what was decided, and no flush."""

    def revoked(self: Loop, partitions: Sequence[int]) -> None:
        for number in partitions:
            if number in self._partitions:
                self._broker.commit({number: self._partitions[number].position}, lambda _: None)
        self._drop(partitions)

    patch(Loop, "revoked", revoked)


@mutant
def events_of_an_assignment_before(patch: Patches) -> None:
    """Events that were taken before a partition was given up are decided though it was given back meanwhile."""
    patch(SimBroker, "_still_ours", lambda self, taken: taken)


# Rows


@mutant
def last_applied_not_looked_at(patch: Patches) -> None:
    """An event is applied to a profile that has it already."""
    real = Loop._decide

    def decide(self: Loop, message: Message, event: AdmittedEvent | Rejected) -> None:
        if not isinstance(event, Rejected):
            profile = self._partitions[message.partition].profiles.get(ADMISSION.subject(event))
            if profile is not None:
                profile.last_applied = -1
        real(self, message, event)

    patch(Loop, "_decide", decide)


@mutant
def increments_instead_of_rows(patch: Patches) -> None:
    """A row is a sum that does not know which events are in it: what is folded again is added again."""

    def decoded(self: Profiles, subject: str, row: bytes) -> Profile:
        profile = decode_profile(row)
        if profile.epoch != self._epoch:
            return Profile(subject)
        profile.last_applied, profile.remembered = -1, b""
        return profile

    patch(Profiles, "decoded", decoded)


@mutant
def rows_without_timestamp(patch: Patches) -> None:
    """The row that lands last is the one that is read."""
    patch(SimStore, "shows", lambda self, timestamp, cell: True)


@mutant
def timestamps_without_epoch(patch: Patches) -> None:
    """A row's timestamp is its offset alone."""

    def shows(self: SimStore, timestamp: int, cell: Cell) -> bool:
        return timestamp % 2**44 >= cell.timestamp % 2**44

    patch(SimStore, "shows", shows)


@mutant
def rows_of_any_epoch(patch: Patches) -> None:
    """A row of an earlier epoch is believed."""
    patch(Profiles, "decoded", lambda self, subject, row: decode_profile(row))


@mutant
def stale_copy_while_the_store_is_away(patch: Patches) -> None:
    """Where the store does not answer, a copy of rows that lags behind it does."""
    put, load = SimStore.put, SimReads.load

    def put_and_keep(self: SimStore, partition: int, rows: Mapping[str, bytes], timestamp: int) -> None:
        old: dict[tuple[int, str], bytes] = self.__dict__.setdefault("old", {})
        for subject in rows:
            if subject in self.cells[partition]:
                old[partition, subject] = self.cells[partition][subject].row
        put(self, partition, rows, timestamp)

    def load_or_old(self: SimReads, partition: int, subjects: Sequence[str], within_s: float) -> dict[str, bytes]:
        try:
            return load(self, partition, subjects, within_s)
        except StoreUnavailable:
            old = self._store.__dict__.get("old", {})
            if not all((partition, subject) in old for subject in subjects):
                raise
            return {subject: old[partition, subject] for subject in subjects}

    patch(SimStore, "put", put_and_keep)
    patch(SimReads, "load", load_or_old)


@mutant
def absent_while_the_store_is_away(patch: Patches) -> None:
    """Where the store does not answer, a subject is taken for a new one."""
    load = SimReads.load

    def load_or_nothing(self: SimReads, partition: int, subjects: Sequence[str], within_s: float) -> dict[str, bytes]:
        try:
            return load(self, partition, subjects, within_s)
        except StoreUnavailable:
            return {}

    patch(SimReads, "load", load_or_nothing)


# Profiles in memory


@mutant
def scan_replaces_what_was_touched(patch: Patches) -> None:
    """A row of the scan is taken though its subject is in memory, further on."""

    def found(self: Profiles, rows: Mapping[str, bytes]) -> None:
        for subject, row in rows.items():
            self._recent.pop(subject, None)
            self._dirty.discard(subject)
            self._older[subject] = row

    patch(Profiles, "found", found)


@mutant
def scan_brings_back_what_was_put_away(patch: Patches) -> None:
    """A row of the scan is taken though its subject was put away meanwhile, further on."""

    def found(self: Profiles, rows: Mapping[str, bytes]) -> None:
        for subject, row in rows.items():
            if subject not in self._recent:
                self._older.setdefault(subject, row)

    patch(Profiles, "found", found)


@mutant
def failed_scan_taken_for_whole(patch: Patches) -> None:
    """Whom a scan did not find is new, though the scan failed."""
    real = BulkScan._done
    patch(BulkScan, "_done", lambda self, is_whole: real(self, True))


@mutant
def put_away_taken_for_new(patch: Patches) -> None:
    """Who is not in memory after a scan is new, though some were put away."""
    patch(Profiles, "_is_complete", property(lambda self: self._is_scanned))


@mutant
def put_away_unsaved(patch: Patches) -> None:
    """Profiles are put away, and forgotten, that no row has."""

    def keep_to_limit(self: Profiles) -> None:
        for _ in range(min(len(self) - self.limit, PUT_AWAY_AT_ONCE)):
            if not self._older:
                self._older, self._recent = dict[str, Profile | bytes](self._recent), {}
            self._dirty.discard(self._older.popitem()[0])
            self.put_away += 1

    patch(Profiles, "keep_to_limit", keep_to_limit)


@mutant
def put_away_while_saving(patch: Patches) -> None:
    """Profiles are put away whose rows are on their way."""

    def keep_to_limit(self: Profiles) -> None:
        for _ in range(min(len(self) - self.limit, PUT_AWAY_AT_ONCE)):
            if not self._older:
                self._older, self._recent = dict[str, Profile | bytes](self._recent), {}
            subject, profile = self._older.popitem()
            if isinstance(profile, Profile) and subject in self._dirty:
                self._recent[subject] = profile
            else:
                self.put_away += 1

    patch(Profiles, "keep_to_limit", keep_to_limit)


# Held events


@mutant
def snapshot_while_events_are_held(patch: Patches) -> None:
    """Rows are flushed, and the position committed, while some events before it are not folded."""

    def take(self: Checkpoint) -> None:
        state = self._state
        if self._snapshot is None and state.position != state.flushed:
            self._snapshot = Snapshot(state.position, state.profiles.take_unsaved())
            self._due_s = self._clock() + self._interval_s

    patch(Checkpoint, "_take_snapshot", take)


@mutant
def held_folded_out_of_order(patch: Patches) -> None:
    """The first of a subject's held events is folded after its second."""
    real = HeldEvents._fold
    late: dict[tuple[int, str], Message] = {}

    def fold(self: HeldEvents, message: Message, subject: str, folding: Any) -> None:
        key = id(self), subject
        if key not in late and self._left[subject] > 1:
            late[key] = message
            return
        first = late.pop(key, None)
        if first is not None:
            self._left[subject] += 1
        real(self, message, subject, folding)
        if first is not None:
            self._left[subject] -= 1
            real(self, first, subject, folding)

    patch(HeldEvents, "_fold", fold)


@mutant
def only_the_first_is_held(patch: Patches) -> None:
    """Of a subject's events that were decided without its profile only the first is folded later."""
    real = HeldEvents.hold

    def hold(self: HeldEvents, subject: str, offset: int) -> None:
        if subject not in self:
            real(self, subject, offset)

    patch(HeldEvents, "hold", hold)


@mutant
def held_forgotten(patch: Patches) -> None:
    """What was decided without its profile is never folded."""
    patch(HeldEvents, "hold", lambda self, subject, offset: None)


@mutant
def decided_past_held(patch: Patches) -> None:
    """An event is folded while earlier ones of its subject are still held."""
    patch(HeldEvents, "__contains__", lambda self, subject: False)


@mutant
def held_without_bound(patch: Patches) -> None:
    """Events are taken however many are held."""
    patch(Loop, "takes_events", property(lambda self: True))


@mutant
def conflicts_vanish_if_held(patch: Patches) -> None:
    """A held event of a type that is not decided ends unseen, whatever it turned out to be."""
    real = Loop._fold_held

    def fold_held(self: Loop, state: PartitionState, message: Message, profile: Profile) -> None:
        end, self._end = self._end, lambda *_: None  # type: ignore[method-assign]
        real(self, state, message, profile)
        self._end = end  # type: ignore[method-assign]

    patch(Loop, "_fold_held", fold_held)


# Rules


@mutant
def rules_act_on_arrival(patch: Patches) -> None:
    """The newest rules decide, whatever the event's time."""

    def acting_on(self: Controls, message: Message) -> Any:
        return self._look_up(inf)

    patch(Controls, "_acting_on", acting_on)


# Events that end the process


@mutant
def never_put_down(patch: Patches) -> None:
    """The last event stays in hand after its work is done."""
    patch(MappedHand, "put_down", lambda self: None)


@mutant
def put_down_once_a_turn(patch: Patches) -> None:
    """An event stays in hand while those of other partitions are worked on."""
    turn, put_down = Loop.turn, MappedHand.put_down

    def down_and_turn(self: Loop, wait_s: float) -> None:
        for state in self._partitions.values():
            put_down(state.hand)  # type: ignore[arg-type]
        turn(self, wait_s)

    patch(MappedHand, "put_down", lambda self: None)
    patch(Loop, "turn", down_and_turn)


@mutant
def nothing_is_fatal(patch: Patches) -> None:
    """An event that ends the process is tried for ever."""
    real = MappedHand._opened

    def opened(self: MappedHand, epoch: int) -> frozenset[int]:
        real(self, epoch)
        return frozenset()

    patch(MappedHand, "_opened", opened)


@mutant
def only_the_last_is_fatal(patch: Patches) -> None:
    """Of several events that end the process only the last that did is remembered."""
    real = MappedHand._opened

    def opened(self: MappedHand, epoch: int) -> frozenset[int]:
        return frozenset(sorted(real(self, epoch))[-1:])

    patch(MappedHand, "_opened", opened)
