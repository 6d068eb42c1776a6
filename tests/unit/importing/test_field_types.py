"""Each type of field can come from whatever a foreign file keeps it in."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from fraudbrain_deploy.importing import EventSource, event_stream
from fraudbrain_shared.admission import Admission, Rejected
from fraudbrain_shared.scenario.parse import parse_scenario

EVENTS = """\
[order]
decide = true
deadline = "50ms"
safe_default = [{ outcome = "review" }]
[order.fields]
card_id = { type = "string" }
made = { type = "timestamp" }
waited = { type = "duration" }
entry = { type = "enum", values = ["chip", "online"] }
codes = { type = "strings", max_items = 3, max_length = 8, optional = true }
"""
IMPORT = """\
[order]
event_id = "id"
event_time = "when"
[order.fields]
card_id = "card"
made = { column = "made", zone = "Europe/Madrid" }
waited = { column = "waited", scale = 1000 }
entry = "entry"
codes = { column = "codes", separator = ";" }
"""
FILES = {"scenario.toml": 'name = "orders"\nsubject = "card_id"\n', "events.toml": EVENTS, "import.toml": IMPORT}
NOON = datetime(2026, 7, 1, 12)
NOON_MS = 1_782_907_200_000
ROW: dict[str, Any] = {
    **{"id": "1", "when": NOON, "card": "c", "made": "2026-07-01 12:00:00", "waited": 1.5, "entry": "chip"},
    **{"codes": "a;b"},
}


SCENARIO = parse_scenario({name: text.encode() for name, text in FILES.items()})


def source(tmp_path: Path, *rows: dict[str, Any], types: dict[str, pa.DataType] | None = None) -> EventSource:
    columns = {name: [{**ROW, **row}[name] for row in rows] for name in ROW}
    arrays = {name: pa.array(values, (types or {}).get(name)) for name, values in columns.items()}
    pq.write_table(pa.table(arrays), tmp_path / "orders.parquet")
    return event_stream(SCENARIO, tmp_path / "orders.parquet")


def fields(stream: EventSource) -> list[dict[str, Any]]:
    return [msgspec.json.decode(value)["fields"] for batch in stream.event_batches() for value in batch.values]


def test_a_row_of_all_types_is_admitted(tmp_path: Path) -> None:
    stream = source(tmp_path, {})
    assert fields(stream) == [
        {
            "card_id": "c",
            "made": NOON_MS - 2 * 3_600_000,
            "waited": 1_500,
            "entry": "chip",
            "codes": ["a", "b"],
        }
    ]
    (batch,) = stream.event_batches()
    assert not isinstance(Admission(SCENARIO).admit(batch.values[0], batch.keys[0], NOON_MS), Rejected)


def test_times_lengths_and_lists_may_be_of_the_files_own_types(tmp_path: Path) -> None:
    kinds = {"entry": pa.dictionary(pa.int8(), pa.string())}
    own = {"made": NOON, "waited": timedelta(seconds=2), "codes": ["x", None]}
    (read,) = fields(source(tmp_path, own, types=kinds))
    assert (read["made"], read["waited"], read["codes"]) == (NOON_MS - 2 * 3_600_000, 2_000, ["x"])


def test_a_list_that_is_missing_is_left_out_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    assert [each.get("codes") for each in fields(source(tmp_path, {"codes": None}, {"codes": ""}))] == [None, []]


def test_csv_gives_the_same_as_parquet(tmp_path: Path) -> None:
    stream = source(tmp_path, {}, {"id": "2", "codes": None})
    csv.write_csv(pq.read_table(tmp_path / "orders.parquet"), tmp_path / "orders.csv")
    assert fields(event_stream(SCENARIO, tmp_path / "orders.csv")) == fields(stream)


@pytest.mark.parametrize(
    ("column", "value", "cause"),
    [
        ("made", "soon", "made: column made is not a time"),
        ("waited", None, "waited: column waited is empty"),
        ("entry", "swipe", "entry: column entry is not one of chip, online"),
        ("card", None, "card_id: column card is empty"),
    ],
)
def test_a_value_that_does_not_fit_is_told(tmp_path: Path, column: str, value: object, cause: str) -> None:
    (reject,) = source(tmp_path, {}, {column: value}).rejects()
    assert reject.row == 1
    assert reject.cause.startswith(cause)
