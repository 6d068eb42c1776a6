"""Decisions as columns of a Parquet file, written bit by bit: memory stays flat however many there are."""

from pathlib import Path
from typing import Final, Protocol

from fraudbrain_shared.records import Scores

PART_ROWS = 50_000
_COLUMNS: Final = ("event_id", "subject", "event_time", "score", "outcome", "findings", "received_ns")


class ToldDecision(Protocol):
    """As much of a decision as a replay tells."""

    @property
    def event_id(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def event_time(self) -> int: ...
    @property
    def outcome(self) -> str: ...
    @property
    def findings(self) -> tuple[str, ...]: ...
    @property
    def scores(self) -> Scores: ...


class DecisionsFile:
    """Takes decisions in the order of their log; the file is whole once it is closed."""

    def __init__(self, file: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        texts = pa.dictionary(pa.int32(), pa.string())
        types = (pa.string(), pa.string(), pa.int64(), pa.float64(), texts, pa.list_(texts.value_type), pa.int64())
        self._schema = pa.schema(list(zip(_COLUMNS, types, strict=True)))
        self.path = file
        self._writer = pq.ParquetWriter(file, self._schema)
        self._rows: list[tuple[object, ...]] = []

    def add(self, decision: ToldDecision, received_ns: int) -> None:
        self._rows.append(
            (
                decision.event_id,
                decision.subject,
                decision.event_time,
                decision.scores.champion,
                decision.outcome,
                decision.findings,
                received_ns,
            )
        )
        if len(self._rows) >= PART_ROWS:
            self._write()

    def close(self) -> None:
        self._write()
        self._writer.close()

    def _write(self) -> None:
        import pyarrow as pa

        columns = list(zip(*self._rows, strict=True)) or [()] * len(_COLUMNS)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(pa.table(arrays, schema=self._schema))
        self._rows.clear()
