"""An event and its effective decision as the slow tier keeps them in HBase."""

import msgspec

from fraudbrain_shared.decision_row import decision_row
from fraudbrain_shared.topics import Names
from fraudbrain_streaming.hbase import NoSuchTable, Store

_PATIENCE_S = 10.0  # somebody is waiting at a terminal


class Decided(msgspec.Struct, frozen=True):
    """What the row of an event holds. Without decision: not decided yet, or not archived yet."""

    event: msgspec.Raw | None
    decision: msgspec.Raw | None


def decision_json(thrift: str, space: str, subject: str, event_id: str) -> str | None:
    """The row of an event as JSON {event, decision}; None if there is none. Raises `StoreUnavailable`."""
    with Store(thrift, timeout_s=5.0, patience_s=_PATIENCE_S) as store:
        try:
            row = store.get(Names(space).table("decisions"), decision_row(subject, event_id))
        except NoSuchTable:  # the slow tier makes it when it first runs
            return None
    return msgspec.json.encode(Decided(_raw(row, b"d:event"), _raw(row, b"d:decision"))).decode() if row else None


def _raw(row: dict[bytes, bytes], column: bytes) -> msgspec.Raw | None:
    return msgspec.Raw(row[column]) if column in row else None
