"""The labeller: labels joined to their event and its effective decision, however early they come.

Of several labels of an event the first in the log is folded, later ones are corrections. All of them stand in
one partition, so the mark in the decision's row names the first one's place: a label is the first if no
mark stands there or its own. That is the same whenever and however often it is asked.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from fraudbrain_shared.decision_row import decision_row
from fraudbrain_shared.records import Decision, Event, Labelled
from fraudbrain_streaming.jobs.archive.first_wins import DECISION_COLUMN, EVENT_COLUMN
from fraudbrain_streaming.jobs.loop.inputs import PlacedLabel
from fraudbrain_streaming.jobs.loop.offsets import Offsets
from fraudbrain_streaming.jobs.loop.state_table import MARK_COLUMN, Cells

_LOG = logging.getLogger(__name__)
PREFIX: Final = b"pending|"
PATIENCE_MS: Final = 30 * 86_400_000

Place = tuple[int, int]
"""Partition and offset of a label."""
Find = Callable[[Collection[bytes]], Mapping[bytes, Cells]]


class Labeller:
    """Joins labels. Those whose decision is not there yet wait; `rows` are the ones that waited already."""

    def __init__(self, find: Find, rows: Mapping[bytes, bytes]) -> None:
        self._find = find
        decode = msgspec.msgpack.Decoder(PlacedLabel).decode
        waiting = [decode(value) for row, value in rows.items() if row.startswith(PREFIX)]
        self._waiting: dict[Place, PlacedLabel] = {(each.partition, each.offset): each for each in waiting}
        self._saved: set[Place] = set(self._waiting)
        self._unsaved: set[Place] = set()
        self._marks: dict[bytes, bytes] = {}
        self._event = msgspec.json.Decoder(Event).decode
        self._decision = msgspec.json.Decoder(Decision).decode

    @property
    def waiting(self) -> int:
        """How many labels wait for their decisions."""
        return len(self._waiting)

    def expects(self, offsets: Offsets) -> bool:
        """Whether a label below these offsets waits."""
        ends = offsets.get("labels", {})
        return any(offset < ends.get(str(partition), 0) for partition, offset in self._waiting)

    def join(self, labels: Sequence[PlacedLabel], now_ms: int, *, retry: bool) -> list[Labelled]:
        """The new labels, and all that wait if `retry`, as far as they can be joined; in log order."""
        asked = {_row(each) for each in labels}
        for each in labels:
            self._waiting[each.partition, each.offset] = each
        if retry:
            asked = {_row(each) for each in self._waiting.values()}
        found = self._find(asked) if asked else {}
        labelled = []
        for place in sorted(self._waiting):  # with an earlier label of the same event, which goes first
            label = self._waiting[place]
            cells = found.get(_row(label), {})
            if EVENT_COLUMN in cells and DECISION_COLUMN in cells:
                labelled += self._joined(label, cells)
                self._forget(place)
            elif now_ms - label.append_time > PATIENCE_MS:
                _LOG.warning("labels/%d/%d has waited 30 days for its decision", *place)
                self._forget(place)
        self._unsaved |= {(each.partition, each.offset) for each in labels} & self._waiting.keys()
        return labelled

    def changes(self) -> dict[bytes, bytes | None]:
        """The rows that changed since this was last asked."""
        changed = {_waiting_row(place): self._encoded(place) for place in self._unsaved}
        self._unsaved = set()
        return changed

    def take_marks(self) -> dict[bytes, bytes]:
        """The marks that were made since this was last asked."""
        marks, self._marks = self._marks, {}
        return marks

    def _forget(self, place: Place) -> None:
        del self._waiting[place]
        if place in self._saved:
            self._unsaved.add(place)

    def _encoded(self, place: Place) -> bytes | None:
        waiting = self._waiting.get(place)
        if waiting is None:
            self._saved.discard(place)
            return None
        self._saved.add(place)
        return msgspec.msgpack.encode(waiting)

    def _joined(self, placed: PlacedLabel, cells: Cells) -> list[Labelled]:
        row, place = _row(placed), b"%d|%d" % (placed.partition, placed.offset)
        first = self._marks.get(row) or cells.get(MARK_COLUMN)
        if first is None:
            first = self._marks[row] = place
        try:
            event, decision = self._event(cells[EVENT_COLUMN]), self._decision(cells[DECISION_COLUMN])
        except msgspec.DecodeError:  # of a release whose records were others
            _LOG.warning("labels/%d/%d: its decision cannot be read", placed.partition, placed.offset)
            return []
        return [Labelled(placed.label, event, decision, correction=first != place)]


def _row(placed: PlacedLabel) -> bytes:
    return decision_row(placed.label.subject, placed.label.event_id)


def _waiting_row(place: Place) -> bytes:
    return PREFIX + b"%d|%d" % place
