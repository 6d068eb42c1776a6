"""Rows of a file that are no events."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class MappingReject:
    """A row that is no event: its number in the file from 0, why, and its mapped columns as JSON."""

    row: int
    cause: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Rejects:
    """Rejected rows as they were read; `causes` and `cause_of` say why, without any value of the row."""

    table: pa.Table
    row: npt.NDArray[np.int64]
    causes: tuple[str, ...]
    cause_of: npt.NDArray[np.int16]
    broken: tuple[tuple[int, str], ...] = ()

    def __len__(self) -> int:
        return len(self.row) + len(self.broken)

    def __iter__(self) -> Iterator[MappingReject]:
        for row, cause in self.broken:
            yield MappingReject(row, cause, b"")
        for first in range(0, len(self.row), 1_000):
            numbers, reasons = self.row[first : first + 1_000], self.cause_of[first : first + 1_000]
            values = self.table.slice(first, 1_000).to_pylist()
            for row, reason, value in zip(numbers.tolist(), reasons.tolist(), values, strict=True):
                yield MappingReject(row, self.causes[reason], _ENCODE(value))
