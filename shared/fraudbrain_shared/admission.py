"""Admission: the one check that every reader of raw events makes before it believes them."""

import re
from collections.abc import Callable
from itertools import accumulate
from operator import attrgetter
from typing import Final, Protocol

import msgspec

from fraudbrain_shared.records import Reason
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.event_types import decoder

MAX_EVENT_BYTES: Final = 64 * 1024
# One event dated years ahead would move every window's clock, and a watermark, past all others.
MAX_AHEAD_MS: Final = 5 * 60 * 1000

MAX_DEPTH: Final = 256
"""Arrays and objects within each other, also where nobody declared anything. No reader's own limit is near."""

_PLACE = re.compile(r"at `(\$[^`]*)`")
_OUT_OF_RANGE = re.compile(r"(>=|<=|of length)")
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKETS = b"[{]}"
_STEPS = bytes.maketrans(_BRACKETS, b"\x01\x01\xff\xff")  # one deeper, and one back, as signed bytes
_OTHERS = bytes(set(range(256)) - set(_BRACKETS))


def is_too_deep(value: bytes) -> bool:
    """Whether brackets in a JSON text are open more than MAX_DEPTH deep; it need not be right otherwise."""
    if value.count(b"[") + value.count(b"{") <= MAX_DEPTH:
        return False
    steps = _TEXT.sub(b"", value).translate(_STEPS, _OTHERS)
    return max(accumulate(memoryview(steps).cast("b")), default=0) > MAX_DEPTH


class EventFields(Protocol):
    """The declared fields of one event type as attributes; an optional one that is absent is None."""


class AdmittedEvent(Protocol):
    """An event that was decoded and checked against its type."""

    event_id: str
    type: str
    event_time: int
    fields: EventFields


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """Why an event was not admitted. `detail` names fields and types, never values."""

    reason: Reason
    detail: str


class Admission:
    """Decodes and checks the events of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._decode = decoder(scenario).decode
        self._subject = scenario.subject
        self.subject: Callable[[AdmittedEvent], str] = attrgetter(f"fields.{scenario.subject}")
        """The entity whose history an event belongs to."""
        self._types = ", ".join(sorted(scenario.event_types))

    def admit(self, value: bytes | None, key: bytes | None, append_time_ms: int) -> AdmittedEvent | Rejected:
        """The event in `value`, or the reason why it cannot be decided. Never raises for any bytes."""
        if value is None:
            return Rejected(Reason.FRAMING, "the record has no value")
        if len(value) > MAX_EVENT_BYTES:
            return Rejected(Reason.OVERSIZE, f"{len(value)} bytes; at most {MAX_EVENT_BYTES} are allowed")
        try:
            if not value.isascii():
                value.decode()  # the decoder does not look into fields that nobody declared
            if len(value) > 2 * MAX_DEPTH and is_too_deep(value):  # what is shorter cannot close so many brackets
                return Rejected(Reason.FRAMING, f"nested more than {MAX_DEPTH} deep")
            event: AdmittedEvent = self._decode(value)
        except msgspec.ValidationError as error:
            return self._invalid(str(error))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Rejected(Reason.FRAMING, "the value is not one JSON object in UTF-8")
        if event.event_time > append_time_ms + MAX_AHEAD_MS:
            ahead_s = (event.event_time - append_time_ms) // 1000
            return Rejected(Reason.TOO_NEW, f"event_time is {ahead_s} s ahead of its append time")
        if key is None or key != self.subject(event).encode():
            return Rejected(Reason.KEY_MISMATCH, f"the record's key is not the event's {self._subject}")
        return event

    def _invalid(self, message: str) -> Rejected:
        """Keeps of msgspec's message what names fields and types; drops what could quote a value."""
        found = _PLACE.search(message)
        place = found[1] if found else "$"
        if message.startswith("Invalid value") and place in ("$.type", "$"):
            return Rejected(Reason.UNKNOWN_TYPE, f"type is not one of {self._types}")
        if message.startswith(("Expected", "Object missing")):
            reason = Reason.RANGE if _OUT_OF_RANGE.search(message) else Reason.SCHEMA
            return Rejected(reason, message)
        return Rejected(Reason.SCHEMA, f"invalid value at {place}")
