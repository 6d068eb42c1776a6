"""Sending again what was put aside, each event once: whoever asks twice, or is killed on the way, sends nothing twice.

An event is sent only if it would be admitted now, has no decision, and nobody has sent it yet. The last is known from
a *note* for each event and attempt. It is written before the event is sent and says where `events` ended; it is marked
when the broker has acknowledged the event. A note without the mark is that of a run that was killed, or still runs.
Once it is so old that its producer must have given up, `events` is read from that end on: either the event is there, or
it never will be. Notes are taken over by compare and set, so that of two runs one sends. A run that was slow, or stood
still, renews its note before it sends, unless another has taken it over.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple, Protocol

import msgspec

from fraudbrain_deploy.dead_letters import Headers, Letter
from fraudbrain_shared.admission import Admission, Rejected
from fraudbrain_shared.decision_row import decision_row
from fraudbrain_shared.records import Reason
from fraudbrain_shared.records.dead_letter import REPLAY_OF_HEADER, History
from fraudbrain_shared.scenario import Scenario

CHUNK: Final = 64
"""So many events are noted, sent and marked together."""
PRODUCER_GIVES_UP_S: Final = 20.0
NOTE_IS_STALE_MS: Final = 60_000
NOTE_HOLDS_MS: Final = 30_000
"""For so long may be sent by a note: what is sent then has arrived, or was given up, when the note is stale."""
EXAMPLES: Final = 20

_REPLAY: Final = "replay."
"""How the headers begin that a replay has set: they say nothing of the next."""


class Fate(StrEnum):
    """What becomes of a letter whose event is to be sent again."""

    SENT = "sent"
    DECIDED = "decided already"
    REPLAYED = "replayed before"
    IN_HAND = "in the hands of another run: ask again in a minute"
    REFUSED = "would be refused again"
    TAKEN = "another event has its id"
    CUT = "was not kept whole"
    NO_EVENT = "no record of the topic events"


class Note(msgspec.Struct, frozen=True):
    """That an event is about to be sent, or, `is_sent`, was. `source` is what its header `replay.of` says, `ends` are
    the ends of `events` before it, by partition number."""

    run: str
    at_ms: int
    source: str
    ends: dict[int, int]
    is_sent: bool = False


class Candidate(NamedTuple):
    """A letter whose event would be admitted now. `row` is the event's in the table of decisions."""

    letter: Letter
    row: bytes
    is_decided: bool
    """Whether events of its type are decided, not only folded."""

    @property
    def note(self) -> bytes:
        """What its note is kept under: an event that became a dead letter again may be sent again."""
        return b"replay|%d|%b" % (self.letter.told.attempt, self.row)


class Notes(Protocol):
    """The notes of all replays."""

    def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Note]:
        """Those that there are."""

    def replace(self, key: bytes, note: Note, *, old: Note | None) -> bool:
        """Writes it where `old` stands, or nothing if that is None; whether it did."""


class Events(Protocol):
    """The topic of events."""

    def ends(self) -> dict[int, int]:
        """Where each partition ends now."""

    def replays_since(self, offsets: Mapping[int, int]) -> set[str]:
        """The headers `replay.of` of what stands there from the offsets on."""

    def wait_turn(self) -> None:
        """Returns when the next event may be sent."""

    def send(self, key: bytes | None, value: bytes, headers: Headers) -> None:
        """Hands an event over, at once."""

    def flush(self) -> None:
        """Returns when all of it is acknowledged. Raises UserError where it is not."""


class Replayed(msgspec.Struct):
    """How many letters met which fate; of those that were not sent, the first of each, with the cause."""

    counts: dict[Fate, int] = {}
    examples: dict[Fate, list[str]] = {}

    def note(self, letter: Letter, fate: Fate, cause: str) -> None:
        """One letter more."""
        self.counts[fate] = self.counts.get(fate, 0) + 1
        shown = self.examples.setdefault(fate, [])
        if fate is not Fate.SENT and len(shown) < EXAMPLES:
            shown.append(f"{letter.place}: {cause}" if cause else letter.place)


class Replayer:
    """One run. `decided` tells the rows of those that have a decision (or were folded, if that is all their type
    asks for); `now_ms` is the wall clock, UTC ms; `run` is this run's name, no other's."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        decided: Callable[[Sequence[Candidate]], set[bytes]],
        notes: Notes,
        events: Events,
        now_ms: Callable[[], int],
        run: str,
        events_topic: str,
    ) -> None:
        self._admission = Admission(scenario)
        self._types = scenario.event_types
        self._decided = decided
        self._notes = notes
        self._events = events
        self._now_ms = now_ms
        self._run = run
        self._events_topic = events_topic

    def take(
        self,
        letters: Iterable[Letter],
        *,
        is_dry: bool,
        chunk: int = CHUNK,
        on_turn: Callable[[Replayed], None] = lambda _: None,
    ) -> Replayed:
        """Sends the events of the letters, or, dry, only says what would be. `on_turn` hears how far it is."""
        told = Replayed()
        left = iter(letters)
        while some := list(islice(left, chunk)):
            for letter, fate, cause in self._take_chunk(some, is_dry):
                told.note(letter, fate, cause)
            on_turn(told)
        return told

    def _take_chunk(self, letters: Sequence[Letter], is_dry: bool) -> Iterator[tuple[Letter, Fate, str]]:
        candidates: dict[bytes, Candidate] = {}
        for letter in letters:
            found = self.candidate(letter)
            if not isinstance(found, Candidate):
                yield letter, *found
            elif found.note in candidates:  # its source had sent it twice
                yield letter, Fate.REPLAYED, ""
            else:
                candidates[found.note] = found
        decided = self._decided(list(candidates.values()))
        undecided = [each for each in candidates.values() if each.row not in decided]
        for each in candidates.values():
            if each.row in decided:
                yield each.letter, Fate.DECIDED, ""
        free: list[tuple[Candidate, Note | None]] = []
        for each, note, fate in self._with_notes(undecided, is_dry):
            if fate is None:
                free.append((each, note))
            else:
                yield each.letter, fate, ""
        sent = {each.note for each, _ in free} if is_dry else self._send(free)
        for each, _ in free:
            yield each.letter, Fate.SENT if each.note in sent else Fate.IN_HAND, ""

    def candidate(self, letter: Letter) -> Candidate | tuple[Fate, str]:
        """What could be sent of a letter, or why nothing."""
        told = letter.told
        if told.topic != self._events_topic:
            return Fate.NO_EVENT, f"{told.reason} of {told.topic}/{told.partition}/{told.offset}"
        if told.reason is Reason.OVERSIZE:
            return Fate.CUT, told.detail
        if told.reason is Reason.CONFLICT:
            return Fate.TAKEN, told.detail
        event = self._admission.admit(letter.value, letter.key, self._now_ms())
        if isinstance(event, Rejected):
            return Fate.REFUSED, f"{event.reason}: {event.detail}"
        row = decision_row(self._admission.subject(event), event.event_id)
        return Candidate(letter, row, self._types[event.type].decide)

    def _with_notes(
        self, candidates: Sequence[Candidate], is_dry: bool
    ) -> Iterator[tuple[Candidate, Note | None, Fate | None]]:
        """Each with its note, and its fate if that tells it."""
        notes = self._notes.find([each.note for each in candidates])
        oldest_ms = self._now_ms() - NOTE_IS_STALE_MS
        stale = {key: note for key, note in notes.items() if not note.is_sent and note.at_ms <= oldest_ms}
        there = self._events.replays_since(_least([note.ends for note in stale.values()])) if stale else set()
        for each in candidates:
            note = notes.get(each.note)
            if note is None or (each.note in stale and note.source not in there):
                yield each, note, None
            elif note.is_sent or each.note in stale:
                if not note.is_sent and not is_dry:
                    self._mark(each, note)
                yield each, note, Fate.REPLAYED
            else:
                yield each, note, Fate.IN_HAND

    def _send(self, free: Sequence[tuple[Candidate, Note | None]]) -> set[bytes]:
        """Sends those whose notes are ours and stay so until then, and tells which."""
        ends = self._events.ends()
        ours: list[tuple[Candidate, Note]] = []
        for each, old in free:
            note = Note(self._run, self._now_ms(), each.letter.told.source, ends)
            if self._notes.replace(each.note, note, old=old):
                ours.append((each, note))
        sent: list[tuple[Candidate, Note]] = []
        for each, note in ours:
            self._events.wait_turn()
            if (held := self._held(each, note)) is not None:
                self._events.send(each.letter.key, each.letter.value, replay_headers(each.letter))
                sent.append((each, held))
        self._events.flush()
        for each, note in sent:
            self._mark(each, note)
        return {each.note for each, _ in sent}

    def _held(self, candidate: Candidate, note: Note) -> Note | None:
        """The note by which the event may be sent now; None if another run has taken it over."""
        now_ms = self._now_ms()
        if now_ms - note.at_ms < NOTE_HOLDS_MS:
            return note
        renewed = msgspec.structs.replace(note, at_ms=now_ms)
        return renewed if self._notes.replace(candidate.note, renewed, old=note) else None

    def _mark(self, candidate: Candidate, note: Note) -> None:
        self._notes.replace(candidate.note, msgspec.structs.replace(note, is_sent=True), old=note)


def replay_headers(letter: Letter) -> Headers:
    """What a replayed event carries: its own headers, which letter it was, and its history.

    Not the step of an earlier replay in steps: it is decided as of today.
    """
    told = letter.told
    own = [header for header in letter.headers if not header[0].startswith(_REPLAY)]
    return (*own, (REPLAY_OF_HEADER, told.source.encode()), *History(told.attempt, told.first_seen).headers())


def _least(ends: Sequence[Mapping[int, int]]) -> dict[int, int]:
    """By partition, from where on all of them are covered. A partition that is younger than a note: from its begin."""
    numbers = {number for each in ends for number in each}
    return {number: min(each.get(number, 0) for each in ends) for number in numbers}
