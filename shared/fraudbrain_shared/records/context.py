"""Context: what the slow tier knows about an entity, and the clock that says how fresh that is."""

import msgspec


class ContextState(msgspec.Struct, frozen=True):
    """The folded state of an entity's features under the key `entity|id`; states by feature id."""

    entity: str
    id: str
    states: dict[str, msgspec.Raw]


class ContextClock(msgspec.Struct, frozen=True):
    """The largest event time a job has seen, UTC milliseconds, under the key `_clock|job`."""

    job: str
    event_time: int
