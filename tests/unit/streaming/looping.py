"""What the loop's laws are told with: a log of a small business, stand-ins for HBase and Kafka, crashes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
import pyarrow as pa

from fraudbrain_shared.decision_row import decision_row
from fraudbrain_shared.records import Progress, StepGoal
from fraudbrain_streaming.jobs.archive.first_wins import DECISION_COLUMN, EVENT_COLUMN
from fraudbrain_streaming.jobs.loop.controls import TopicRecord
from fraudbrain_streaming.jobs.loop.inputs import LOOP_RAW
from fraudbrain_streaming.jobs.loop.loop import Loop, Surroundings
from fraudbrain_streaming.jobs.loop.offsets import Offsets
from fraudbrain_streaming.jobs.loop.state_table import StateTable
from tests.unit.scenario.closing import CLOSING
from tests.unit.scenario.small import parse

SCENARIO = parse(CLOSING)
TOPICS = {name: name for name in ("events", "decisions", "labels")}
HOUR, DAY = 3_600_000, 86_400_000
T0 = 20_000 * DAY
APPENDED = T0 + 100 * DAY

Raw = dict[str, Any]
Published = list[tuple[str, bytes, bytes]]


class Crash(Exception):
    pass


@dataclass
class Disk:
    """Rows as HBase keeps them, and what was published. The call that makes `calls_left` negative crashes."""

    tables: dict[str, dict[bytes, dict[bytes, tuple[int, bytes]]]] = field(default_factory=dict)
    published: Published = field(default_factory=list)
    progress: list[TopicRecord] = field(default_factory=list)
    told: list[Progress] = field(default_factory=list)
    calls_left: int = 10**9
    calls: int = 0

    def put(self, table: str, column: bytes, rows: dict[bytes, bytes], timestamp: int) -> None:
        for row, value in rows.items():  # each may be the last
            self.put_row(table, row, {column: value}, timestamp)

    def put_row(self, table: str, row: bytes, cells: dict[bytes, bytes], timestamp: int) -> None:
        self.count()
        there = self.tables.setdefault(table, {}).setdefault(row, {})
        for column, value in cells.items():
            if column not in there or there[column][0] <= timestamp:
                there[column] = timestamp, value

    def delete(self, table: str, column: bytes, rows: Collection[bytes], timestamp: int) -> None:
        for row in rows:
            self.count()
            there = self.tables.get(table, {}).get(row, {})
            if column in there and there[column][0] <= timestamp:
                del there[column]

    def get_many(self, table: str, rows: Collection[bytes]) -> dict[bytes, dict[bytes, bytes]]:
        found = self.scan(table)
        return {row: found[row] for row in rows if row in found}

    def scan(self, table: str) -> dict[bytes, dict[bytes, bytes]]:
        rows = self.tables.get(table, {})
        return {row: {column: value for column, (_, value) in cells.items()} for row, cells in rows.items() if cells}

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        self.count()
        self.published.append((topic, key, value))

    def flush(self) -> None:
        self.count()

    def count(self) -> None:
        self.calls += 1
        self.calls_left -= 1
        if self.calls_left < 0:
            raise Crash

    def records(self, topic: str) -> list[tuple[bytes, bytes]]:
        return [(key, value) for name, key, value in self.published if name == topic]

    def newest(self, topic: str) -> dict[bytes, bytes]:
        return dict(self.records(topic))


@dataclass
class Tail:
    """`progress` and what the loop itself put on `parameters`, from the beginning."""

    disk: Disk
    read: int = 0

    def read_to_end(self) -> list[TopicRecord]:
        moved = [
            TopicRecord("parameters", place, key, value)
            for place, (key, value) in enumerate(self.disk.records("parameters"))
        ]
        return [*self.read_new(), *moved]

    def read_new(self) -> list[TopicRecord]:
        found, self.read = self.disk.progress[self.read :], len(self.disk.progress)
        return found


@dataclass
class Clockwork:
    """Seconds that go by when they are told to."""

    now_s: float = 1_000.0


def loop_over(disk: Disk, log: "Log", clock: Clockwork | None = None) -> Loop:
    """A new process over what is there."""
    time = clock or Clockwork()
    around = Surroundings(
        state=StateTable(disk, table="loop", decisions="decisions"),
        find=lambda rows: disk.get_many("decisions", rows),
        publisher=disk,
        tail=Tail(disk),
        ends=log.ends,
        tell=disk.told.append,
        now_ms=lambda: APPENDED,
        now_s=lambda: time.now_s,
    )
    return Loop(SCENARIO, TOPICS, around, new_id="id")


@dataclass
class Log:
    """The three topics; `archive` files what stands there in the table of decisions."""

    step: str | None = None
    records: list[Raw] = field(default_factory=list)

    def add(self, topic: str, value: bytes, key: bytes = b"card") -> None:
        offset = sum(1 for each in self.records if each["topic"] == topic)
        place = {"topic": topic, "partition": 0, "offset": offset, "append_time": APPENDED, "step": self.step}
        self.records.append({**place, "key": key, "value": value})

    def payment(self, number: int, time: int, *, terminal: str = "t", fraud: bool | None = None, **more: int) -> None:
        """A payment, its decision, and its label a day later."""
        name = f"e{number}"
        self.add("events", event(name, time, terminal))
        self.add("decisions", decision(name, time, terminal, number))
        if fraud is not None:
            self.add("labels", label(name, more.get("known_at", time + DAY), fraud=fraud))

    def archive(self, disk: Disk) -> None:
        for each in self.records:
            if each["topic"] == "labels":
                continue
            column = EVENT_COLUMN if each["topic"] == "events" else DECISION_COLUMN
            name = msgspec.json.decode(each["value"])["event_id"]
            row = decision_row("card", name)
            disk.tables.setdefault("decisions", {}).setdefault(row, {}).setdefault(column, (1, each["value"]))

    def ends(self) -> Offsets:
        counts = {topic: sum(1 for each in self.records if each["topic"] == topic) for topic in TOPICS}
        return {topic: {"0": count} for topic, count in counts.items()}

    def goal(self, disk: Disk, step: int, clock: int) -> None:
        goal = StepGoal("run", step, clock, {topic: dict(ats) for topic, ats in self.ends().items()})
        disk.progress.append(TopicRecord("progress", len(disk.progress), b"goal|run", msgspec.json.encode(goal)))

    def archived(self, disk: Disk) -> None:
        offsets = {topic: dict(ats) for topic, ats in self.ends().items()}
        value = msgspec.json.encode(Progress("streaming", "archive", offsets))
        disk.progress.append(TopicRecord("progress", len(disk.progress), b"streaming|archive", value))


def table(records: Iterable[Raw]) -> pa.Table:
    return pa.Table.from_pylist(list(records), schema=LOOP_RAW)


def pieces(records: list[Raw], count: int, seed: int) -> list[list[Raw]]:
    """Consecutive pieces, of random lengths."""
    rng = Random(seed)
    cuts = sorted(rng.choices(range(len(records) + 1), k=count - 1))
    return [records[start:end] for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True)]


def event(name: str, time: int, terminal: str) -> bytes:
    fields = {"card_id": "card", "terminal_id": terminal, "amount": 700}
    return msgspec.json.encode({"event_id": name, "type": "payment", "event_time": time, "fields": fields})


def decision(name: str, time: int, terminal: str, source_offset: int, score: float = 0.3) -> bytes:
    return msgspec.json.encode(
        {
            **{"event_id": name, "type": "payment", "subject": "card", "event_time": time, "outcome": "approve"},
            **{"group": "a", "generation": 1, "feature_set": "f", "features": []},
            "entities": {"terminal_id": terminal},
            "scores": {"champion": score},
            "source": {"epoch": 1, "partition": 0, "offset": source_offset, "append_time": APPENDED},
            "versions": {"scenario": "s", "rules": "r", "build": "b", "model": "m1"},
        }
    )


def label(name: str, known_at: int, *, fraud: bool = True) -> bytes:
    return msgspec.json.encode(
        {"event_id": name, "subject": "card", "fraud": fraud, "known_at": known_at, "source": "bank"}
    )
