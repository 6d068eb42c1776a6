"""Labels: what turned out about an event, and the joined record that the slow tier makes of it."""

import msgspec

from fraudbrain_shared.records.decision import Decision
from fraudbrain_shared.records.event import Event


class Label(msgspec.Struct, frozen=True, gc=False):
    """What an event turned out to be. Good ones are sent too. `known_at` is UTC milliseconds."""

    event_id: str
    subject: str
    fraud: bool
    known_at: int
    source: str


class Labelled(msgspec.Struct, frozen=True):
    """A label with the event and the effective decision it belongs to.

    `correction` says that the event had a label before: folds count the first only.
    """

    label: Label
    event: Event
    decision: Decision
    correction: bool = False
