"""One scenario reads files of several forms, and files that hold events of several types."""

from pathlib import Path

import msgspec
import pytest

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing import EventSource, event_stream
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.parse import parse_scenario

EVENTS = """\
[ping.fields]
driver_id = { type = "string" }
speed = { type = "double" }

[trip]
decide = true
deadline = "1s"
safe_default = [{ outcome = "review" }]
[trip.fields]
driver_id = { type = "string" }
fare = { type = "int" }
"""
MIXED = """\
[ping]
event_id = "id"
event_time = "when"
fields = { driver_id = "driver", speed = "kmh" }
only = { column = "kind", values = ["1", "2"] }

[[trip]]
event_id = "id"
event_time = "when"
fields = { driver_id = "driver", fare = { column = "euros", scale = 100 } }
only = { column = "kind", values = ["trip"] }

[[trip]]
event_id = "number"
event_time = "ended"
fields = { driver_id = "chauffeur", fare = "cents" }
"""


def scenario(importing: str = MIXED) -> Scenario:
    files = {
        "scenario.toml": 'name = "trips"\nsubject = "driver_id"\n',
        "events.toml": EVENTS,
        "import.toml": importing,
    }
    return parse_scenario({name: text.encode() for name, text in files.items()})


def stream(tmp_path: Path, text: str, importing: str = MIXED) -> EventSource:
    (tmp_path / "file.csv").write_text(text)
    return event_stream(scenario(importing), tmp_path / "file.csv")


def events(source: EventSource) -> list[tuple[str, str, dict[str, object]]]:
    decoded = [msgspec.json.decode(value) for batch in source.event_batches() for value in batch.values]
    return [(each["type"], each["event_id"], each["fields"]) for each in decoded]


MIXED_FILE = """\
id,when,kind,driver,kmh,euros
a,2026-07-01 12:00:00,1,d,40.5,
b,2026-07-01 12:00:20,trip,d,,12.50
c,2026-07-01 12:00:10,2,d,50,
"""


def test_rows_of_several_types_stand_in_one_order_of_time(tmp_path: Path) -> None:
    source = stream(tmp_path, MIXED_FILE)
    assert events(source) == [
        ("ping", "a", {"driver_id": "d", "speed": 40.5}),
        ("ping", "c", {"driver_id": "d", "speed": 50.0}),
        ("trip", "b", {"driver_id": "d", "fare": 1_250}),
    ]
    assert (source.rows, source.mapping) == (3, 0)


def test_rows_that_no_mapping_takes_are_told(tmp_path: Path) -> None:
    source = stream(tmp_path, MIXED_FILE + "x,2026-07-01 12:00:30,fuel,d,,\ny,2026-07-01 12:00:30,1,d,fast,\nz,soon\n")
    assert (source.rows, source.events, source.mapping) == (6, 3, 3)
    assert {each.row: each.cause for each in source.rejects()} == {
        3: "kind chooses no type",
        4: "speed: column kmh is not a number",
        5: "the row has 2 columns, not 6",
    }


def test_a_file_is_read_by_the_mapping_whose_columns_it_has(tmp_path: Path) -> None:
    source = stream(tmp_path, "number,ended,chauffeur,cents\n7,2026-07-01 12:00:00,d,900\n")
    assert events(source) == [("trip", "7", {"driver_id": "d", "fare": 900})]


def test_a_file_that_fits_none_is_told_by_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no column 'cents'; did you mean 'cent'"):
        stream(tmp_path, "number,ended,chauffeur,cent\n7,2026-07-01 12:00:00,d,900\n")


def test_a_file_that_fits_two_needs_a_choice(tmp_path: Path) -> None:
    alike = MIXED.replace('only = { column = "kind", values = ["trip"] }\n', "")
    with pytest.raises(UserError, match="can be read as ping and trip alike"):
        stream(tmp_path, MIXED_FILE, alike)
