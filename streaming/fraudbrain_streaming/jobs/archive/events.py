"""Events in the lake: admitted as the fast tier admits them, or kept with the reason why not."""

from typing import Any

import msgspec
import pyarrow as pa

from fraudbrain_shared.admission import Admission, Rejected
from fraudbrain_streaming.jobs.archive.decoder import TIMESTAMP, Record, Row, microseconds


class Events:
    """Reads the topic `events` of one scenario. A rejected event is a row like any other, not admitted."""

    time = "event_time"
    kept: "tuple[pa.Field[Any], ...]" = ()
    columns = pa.schema(
        [
            ("event_id", pa.string()),
            ("type", pa.string()),
            ("event_time", TIMESTAMP),
            ("admitted", pa.bool_()),
            ("reason", pa.string()),
            ("fields", pa.string()),
        ]
    )

    def __init__(self, admission: Admission) -> None:
        self._admit = admission.admit
        self._encode = msgspec.json.Encoder().encode

    def row(self, record: Record) -> Row:
        event = self._admit(record.value, record.key, record.append_time)
        if isinstance(event, Rejected):
            return None, None, None, False, event.reason.value, None
        fields = self._encode(event.fields).decode()
        return event.event_id, event.type, microseconds(event.event_time), True, None, fields
