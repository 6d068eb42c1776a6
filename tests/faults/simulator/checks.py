"""What must hold of the log and of the store once all is over: the invariants of the protocol, by their numbers.

I1 every event has come to exactly one end, and one decision counts. I2 it is the right one, or says that it was made
without the profile. I3 decisions of one event are equal where their inputs are. I4 the rows are what folding yields.
I5 what was refused is put aside whole, with its reason. I6 the rules are those of the event's time. I7 events
are decided in their order and no row goes back. I8 everything is committed. I11 what is held is bounded.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from fraudbrain_shared.records import DeadLetter, Decision, Reason
from tests.faults.simulator.cluster import Cluster, Group, Written
from tests.faults.simulator.shop import rules_acting_at
from tests.faults.simulator.store import SimStore
from tests.faults.simulator.undisturbed import Place, Undisturbed

WITHOUT_PROFILE = ("profile_unavailable",)


class Made(NamedTuple):
    """A decision as it stands in the log."""

    place: Place
    epoch: int
    value: bytes
    decision: Decision

    @property
    def is_degraded(self) -> bool:
        return self.decision.degraded == WITHOUT_PROFILE


_decode = msgspec.json.Decoder(Decision).decode


def violations(cluster: Cluster, group: Group, store: SimStore, right: Undisturbed, epoch: int) -> Iterator[str]:
    """What is wrong, in words; the log is read whole."""
    made = _read_decisions(cluster)
    for of_partition in made.values():
        yield from _wrong_decisions(of_partition, right, cluster, epoch)
        yield from _disorder(each for each in of_partition if each.place in right.decided)
    yield from _wrong_ends(made, right)
    yield from _wrong_dead_letters(cluster, made, right)
    yield from _wrong_rows(store, right)
    for partition, log in enumerate(cluster.events):
        if group.committed[partition] != len(log):
            yield f"I8 {partition}: committed {group.committed[partition]} of {len(log)}"


def _read_decisions(cluster: Cluster) -> dict[int, list[Made]]:
    made: dict[int, list[Made]] = {}
    for partition in range(cluster.partitions):
        made[partition] = []
        for record in cluster.written.get(("decisions", partition), ()):
            decision = _decode(record.value)
            source = decision.source
            made[partition].append(Made((source.partition, source.offset), source.epoch, record.value, decision))
    return made


def _wrong_decisions(made: list[Made], right: Undisturbed, cluster: Cluster, epoch: int) -> Iterator[str]:
    """Each decision by itself, and beside the others of its event."""
    degraded: dict[Place, bytes] = {}
    for each in made:
        place, value = each.place, _of_epoch(each, epoch)
        acting = rules_acting_at(each.decision.source.append_time, cluster.rules)
        if each.decision.versions.rules != acting.version:
            yield f"I6 {place}: decided by rules {each.decision.versions.rules}, not {acting.version}"
        if each.is_degraded:
            if degraded.setdefault(place, value) != value:
                yield f"I3 {place}: two decisions without the profile differ"
            if place not in right.ids and right.rejected.get(place) is not Reason.POISON_CRASH:
                yield f"I1 {place}: decided, though nothing was to decide"
        elif place not in right.decided:
            yield f"I1 {place}: decided, though it is {right.undecided.get(place) or right.rejected.get(place)}"
        elif value != right.decided[place]:
            yield f"I2 {place}: decided otherwise than undisturbed: {value!r}"


def _of_epoch(made: Made, epoch: int) -> bytes:
    """The decision as it would be had it been made in another epoch."""
    return made.value.replace(b'"source":{"epoch":%d,' % made.epoch, b'"source":{"epoch":%d,' % epoch, 1)


def _disorder(made: Iterable[Made]) -> Iterator[str]:
    """First occurrences come in the order of the log, in each epoch anew."""
    highest: dict[int, int] = {}
    seen: set[tuple[int, Place]] = set()
    for each in made:
        if (each.epoch, each.place) in seen:
            continue
        seen.add((each.epoch, each.place))
        if each.place[1] < highest.get(each.epoch, -1):
            yield f"I7 {each.place}: decided for the first time after {highest[each.epoch]} was"
        highest[each.epoch] = each.place[1]


def _wrong_ends(made: dict[int, list[Made]], right: Undisturbed) -> Iterator[str]:
    """Each event to be decided is, and of an id the first decision counts: that of its first place."""
    effective: dict[tuple[int, str, str], Place] = {}
    decided: set[Place] = set()
    for partition, of_partition in made.items():
        for each in of_partition:
            effective.setdefault((partition, each.decision.subject, each.decision.event_id), each.place)
            decided.add(each.place)
    first: set[tuple[int, str, str]] = set()
    for place in sorted(right.decided):
        event = place[0], *right.ids[place]
        if place not in decided:
            yield f"I1 {place}: never decided"
        elif event not in first and effective[event] != place:
            yield f"I1 {place}: the decision that counts is that of {effective[event]}"
        first.add(event)


def _wrong_dead_letters(cluster: Cluster, made: dict[int, list[Made]], right: Undisturbed) -> Iterator[str]:
    """All that was refused is there, whole; nothing else is. Only what was decided without the profile may have
    turned out to be a conflict too late to say so."""
    put_aside: set[Place] = set()
    for record in cluster.written.get(("dead-letters", 0), ()):
        letter = DeadLetter.from_headers(dict(record.headers))
        place = letter.partition, letter.offset
        put_aside.add(place)
        if right.rejected.get(place) is not letter.reason:
            yield f"I5 {place}: put aside as {letter.reason}, is {right.rejected.get(place, 'none')}"
        elif not _is_whole(cluster, place, record):
            yield f"I5 {place}: not put aside as it was"
    without = {each.place for of_partition in made.values() for each in of_partition if each.is_degraded}
    for place, reason in right.rejected.items():
        if place not in put_aside and not (reason is Reason.CONFLICT and place in without):
            yield f"I5 {place}: {reason}, and not put aside"


def _is_whole(cluster: Cluster, place: Place, record: Written) -> bool:
    message = cluster.events[place[0]][place[1]]
    return (message.key, message.value) == (record.key, record.value)


def _wrong_rows(store: SimStore, right: Undisturbed) -> Iterator[str]:
    rows = {
        (partition, subject): cell.row for partition, cells in store.cells.items() for subject, cell in cells.items()
    }
    for name in sorted(rows.keys() | right.rows.keys()):
        if rows.get(name) != right.rows.get(name):
            yield f"I4 {name}: the row is {rows.get(name)!r}, folding yields {right.rows.get(name)!r}"
