"""An event as it travels on the `events` topic."""

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened. Its identity is (subject, event_id); the subject is the record's key.

    `event_time` is when it happened, UTC milliseconds; the time at which the broker appended it
    is the record's timestamp and never stands in the payload. `fields` are those that the
    scenario declares for `type`.
    """

    event_id: str
    type: str
    event_time: int
    fields: dict[str, str | int | float | bool | list[str] | None]
