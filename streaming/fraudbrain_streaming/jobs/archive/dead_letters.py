"""Dead letters in the lake, filed under the day on which they were put aside."""

import pyarrow as pa

from fraudbrain_shared.records import DeadLetter
from fraudbrain_streaming.jobs.archive.decoder import TIMESTAMP, Record, Row, Undecodable, microseconds
from fraudbrain_streaming.jobs.archive.raw import HEADERS


class DeadLetters:
    """Reads the topic `dead-letters`: what is told stands in the headers, which are kept whole."""

    time = None
    kept = (pa.field("headers", HEADERS),)
    columns = pa.schema(
        [
            ("reason", pa.string()),
            ("detail", pa.string()),
            ("source_topic", pa.string()),
            ("source_partition", pa.int32()),
            ("source_offset", pa.int64()),
            ("source_append_time", TIMESTAMP),
            ("worker", pa.string()),
            ("build", pa.string()),
        ]
    )

    def row(self, record: Record) -> Row:
        try:
            letter = DeadLetter.from_headers(dict(record.headers))
        except (KeyError, ValueError, AttributeError):
            raise Undecodable("the headers are not a dead letter's") from None
        return (
            letter.reason.value,
            letter.detail,
            letter.topic,
            letter.partition,
            letter.offset,
            microseconds(letter.append_time),
            letter.worker,
            letter.build,
        )
