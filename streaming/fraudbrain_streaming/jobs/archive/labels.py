"""Labels in the lake, filed under the day on which they became known."""

from typing import Any

import msgspec
import pyarrow as pa

from fraudbrain_shared.records import Label
from fraudbrain_streaming.jobs.archive.decoder import TIMESTAMP, Record, Row, Undecodable, microseconds


class Labels:
    """Reads the topic `labels`."""

    time = "known_at"
    kept: "tuple[pa.Field[Any], ...]" = ()
    columns = pa.schema(
        [
            ("event_id", pa.string()),
            ("subject", pa.string()),
            ("fraud", pa.bool_()),
            ("known_at", TIMESTAMP),
            ("source", pa.string()),
        ]
    )

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(Label).decode

    def row(self, record: Record) -> Row:
        if record.value is None:
            raise Undecodable("no value")
        label = self._decode(record.value)
        return label.event_id, label.subject, label.fraud, microseconds(label.known_at), label.source
