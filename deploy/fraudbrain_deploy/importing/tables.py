"""Reads the columns that are asked for from a Parquet or CSV file, with the number of each row."""

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from fraudbrain_deploy.errors import UserError


@dataclass(frozen=True, slots=True)
class Raw:
    """The asked-for columns; `row` is each row's number in the file, from 0; `broken` are rows of another width."""

    table: pa.Table
    row: npt.NDArray[np.int64]
    broken: tuple[tuple[int, str], ...] = ()


def column_names(path: Path) -> list[str]:
    """The columns of the file. Raises UserError for what is neither Parquet nor CSV."""
    if _is_parquet(path):
        with _reading(path):
            return [str(name) for name in pq.read_schema(path).names]
    with _reading(path), csv.open_csv(path, parse_options=_parse(path, lambda _: "skip")) as reader:
        return [str(name) for name in reader.schema.names]


def read_columns(path: Path, wanted: Sequence[str]) -> Raw:
    """The wanted columns. Raises UserError that names a missing one, what there is, and the nearest name."""
    there = column_names(path)
    missing = [name for name in wanted if name not in there]
    if missing:
        raise UserError(
            "\n".join(_missing(path, name, there) for name in missing),
            f"The columns of {path.name} are: {', '.join(there)}.",
        )
    columns = list(dict.fromkeys(wanted))
    with _reading(path):
        return _read_parquet(path, columns) if _is_parquet(path) else _read_csv(path, columns)


def _missing(path: Path, name: str, there: Sequence[str]) -> str:
    folded = {one.casefold(): one for one in there}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.5)
    return f"{path} has no column {name!r}" + (f"; did you mean {folded[near[0]]!r}?" if near else ".")


def _read_parquet(path: Path, columns: list[str]) -> Raw:
    table = pq.read_table(path, columns=columns)
    return Raw(table, np.arange(table.num_rows))


def _read_csv(path: Path, columns: list[str]) -> Raw:
    # Everything as text: 007 stays an identifier, and each field is converted as the scenario says.
    broken: list[tuple[int, str]] = []

    def put_aside(row: Any) -> str:
        broken.append((row.number - 2, f"the row has {row.actual_columns} columns, not {row.expected_columns}"))
        return "skip"

    table = csv.read_csv(
        path,
        read_options=csv.ReadOptions(use_threads=False),  # only so are the broken rows' numbers known
        parse_options=_parse(path, put_aside),
        convert_options=csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    every = np.arange(table.num_rows + len(broken))
    return Raw(table, np.setdiff1d(every, [number for number, _ in broken]), tuple(broken))


def _parse(path: Path, put_aside: Any = None) -> csv.ParseOptions:
    return csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True, invalid_row_handler=put_aside)


def _delimiter(path: Path) -> str:
    with pa.input_stream(path) as file:
        header = file.read(64 * 1024).split(b"\n", 1)[0].decode(errors="replace")
    return max((",", ";", "\t", "|"), key=header.count)


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Says what Arrow says of an unreadable file in words for people."""
    try:
        yield
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise UserError(f"{path} is neither Parquet nor CSV that can be read: {error}") from error
