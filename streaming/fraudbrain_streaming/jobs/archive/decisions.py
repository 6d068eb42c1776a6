"""Decisions in the lake: what analysts ask for as columns, all of it in the bytes."""

from typing import Any

import msgspec
import pyarrow as pa

from fraudbrain_shared.records import Decision
from fraudbrain_streaming.jobs.archive.decoder import TIMESTAMP, Record, Row, Undecodable, microseconds


class Decisions:
    """Reads the topic `decisions`."""

    time = "event_time"
    kept: "tuple[pa.Field[Any], ...]" = ()
    columns = pa.schema(
        [
            ("event_id", pa.string()),
            ("subject", pa.string()),
            ("type", pa.string()),
            ("event_time", TIMESTAMP),
            ("outcome", pa.string()),
            ("scores_champion", pa.float64()),
            ("findings", pa.list_(pa.string())),
            ("degraded", pa.list_(pa.string())),
            ("source_epoch", pa.int64()),
            ("source_partition", pa.int32()),
            ("source_offset", pa.int64()),
            ("generation", pa.int64()),
            ("feature_set", pa.string()),
            ("features", pa.list_(pa.float64())),
            ("context_clock", TIMESTAMP),
        ]
    )

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(Decision).decode

    def row(self, record: Record) -> Row:
        if record.value is None:
            raise Undecodable("no value")
        decision = self._decode(record.value)
        source = decision.source
        return (
            decision.event_id,
            decision.subject,
            decision.type,
            microseconds(decision.event_time),
            decision.outcome,
            decision.scores.champion,
            decision.findings,
            decision.degraded,
            source.epoch,
            source.partition,
            source.offset,
            decision.generation,
            decision.feature_set,
            decision.features,
            None if decision.context_clock is None else microseconds(decision.context_clock),
        )
