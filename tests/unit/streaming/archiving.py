"""What the archive's laws are told with: raw records, a stand-in for HBase's cells, a small scenario."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from fraudbrain_shared.admission import Admission
from fraudbrain_shared.records import Decision, Label, Source, Versions
from fraudbrain_shared.scenario.description import EventType, Field, Scenario
from fraudbrain_streaming.jobs.archive.archive import Archive, Shelf
from fraudbrain_streaming.jobs.archive.dead_letters import DeadLetters
from fraudbrain_streaming.jobs.archive.decisions import Decisions
from fraudbrain_streaming.jobs.archive.decoder import Decoder, table_schema
from fraudbrain_streaming.jobs.archive.events import Events
from fraudbrain_streaming.jobs.archive.first_wins import FirstWins
from fraudbrain_streaming.jobs.archive.labels import Labels
from fraudbrain_streaming.jobs.archive.lake_table import LakeTable
from fraudbrain_streaming.jobs.archive.raw import RAW

DAY_MS = 86_400_000
APPENDED = 20_000 * DAY_MS  # 2024-10-04

Raw = dict[str, Any]


@dataclass
class Cells:
    """Cells as HBase keeps them with one version: the largest timestamp wins, of equal ones the last put."""

    shown: dict[tuple[bytes, bytes], tuple[int, bytes]] = field(default_factory=dict)

    def put(self, table: str, column: bytes, rows: dict[bytes, bytes], timestamp: int) -> None:
        for row, value in rows.items():
            there = self.shown.get((row, column))
            if there is None or there[0] <= timestamp:
                self.shown[row, column] = timestamp, value

    def values(self, column: bytes) -> dict[bytes, bytes]:
        return {row: value for (row, at), (_, value) in self.shown.items() if at == column}


def till() -> Scenario:
    fields = {
        "card_id": Field(name="card_id", type="string"),
        "amount": Field(name="amount", type="int", min=0, max=1_000_000),
    }
    payment = EventType(name="payment", decide=True, deadline_ms=50, fields=fields, safe_default=())
    return Scenario(
        name="till",
        version="1",
        subject="card_id",
        event_types={"payment": payment},
        profile={},
        derived={},
        parameters={},
        rules=(),
        policy=(),
    )


@dataclass
class World:
    """A lake, cells, and archives over them: each new archive is a new process."""

    lake: Path
    cells: Cells = field(default_factory=Cells)

    def archive(self) -> Archive:
        decoders: dict[str, Decoder] = {
            "events": Events(Admission(till())),
            "decisions": Decisions(),
            "labels": Labels(),
            "dead-letters": DeadLetters(),
        }
        shelves = {name: Shelf(name, decoder, self.table(name, decoder)) for name, decoder in decoders.items()}
        return Archive(shelves, FirstWins(self.cells, table="decisions", generation=1))

    def table(self, name: str, decoder: Decoder, topic_id: str = "id") -> LakeTable:
        path = self.lake / name
        path.mkdir(parents=True, exist_ok=True)
        return LakeTable(path, topic=name, topic_id=topic_id, schema=table_schema(decoder))


def event(event_id: str, subject: str = "card", **changes: Any) -> bytes:
    fields = {"card_id": subject, "amount": 100}
    return msgspec.json.encode(
        {"event_id": event_id, "type": "payment", "event_time": APPENDED - DAY_MS, "fields": fields} | changes
    )


def decision(
    event_id: str, subject: str = "card", *, outcome: Any = "approve", event_time: int = APPENDED, generation: int = 1
) -> bytes:
    return msgspec.json.encode(
        Decision(
            event_id=event_id,
            type="payment",
            subject=subject,
            event_time=event_time,
            source=Source(1, 0, 0, APPENDED),
            outcome=outcome,
            versions=Versions("s", "r", "b"),
            group="a",
            generation=generation,
            feature_set="f",
            features=(1.0, None),
            findings=("large_amount",),
        )
    )


def label(event_id: str, known_at: int = APPENDED) -> bytes:
    return msgspec.json.encode(Label(event_id=event_id, subject="card", fraud=True, known_at=known_at, source="bank"))


def record(topic: str, offset: int, value: bytes | None, *, partition: int = 0, key: bytes | None = b"card") -> Raw:
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "append_time": APPENDED,
        "key": key,
        "value": value,
        "headers": None,
    }


def batch(records: Iterable[Raw]) -> pa.Table:
    return pa.Table.from_pylist(list(records), schema=RAW)
