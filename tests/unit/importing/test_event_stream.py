from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing import EventSource, event_stream
from fraudbrain_deploy.simulation import files
from fraudbrain_deploy.simulation.cards import settings_from, simulate
from fraudbrain_shared.admission import Admission, Rejected
from fraudbrain_shared.records import Label
from fraudbrain_shared.scenario.description import ColumnSource, EventType, Field, ImportMapping, Scenario
from fraudbrain_shared.scenario.load import load_scenario

NOON = datetime(2026, 7, 1, 12)
NOON_MS = 1_782_907_200_000
DAY_MS = 86_400_000


@pytest.fixture
def scenario() -> Scenario:
    """The cards, with a mapping of this test's own and an optional field."""
    cards = load_scenario("cards")
    payment = cards.event_types["payment"]
    fields = payment.fields | {"country": Field("country", "string", optional=True)}
    mapping = ImportMapping(
        type="payment",
        event_id=ColumnSource("id"),
        event_time=ColumnSource("when"),
        fields={
            "card_id": ColumnSource("card"),
            "terminal_id": ColumnSource(None, constant="online"),
            "amount": ColumnSource("euros", scale=100.0),
            "country": ColumnSource("land"),
        },
        fraud=ColumnSource("bad"),
    )
    types = {"payment": replace(payment, fields=fields)}
    return replace(cards, event_types=types, importing=(mapping,))


def rows(**columns: list[Any]) -> pa.Table:
    count = max(map(len, columns.values()), default=3)
    given: dict[str, list[Any]] = {
        "id": list(range(count)),
        "when": [NOON + timedelta(minutes=minute) for minute in range(count)],
        "card": [7] * count,
        "euros": [12.34] * count,
        "land": ["ES"] * count,
        "bad": [0] * count,
    }
    return pa.table(given | columns)


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[[pa.Table], Path]:
    def write(table: pa.Table) -> Path:
        pq.write_table(table, tmp_path / "foreign.parquet")
        return tmp_path / "foreign.parquet"

    return write


def events(source: EventSource) -> list[dict[str, Any]]:
    return [msgspec.json.decode(value) for batch in source.event_batches() for value in batch.values]


def labels(source: EventSource) -> list[Label]:
    return [msgspec.json.decode(value, type=Label) for batch in source.label_batches() for value in batch.values]


def test_a_foreign_row_becomes_an_event_that_is_admitted(
    scenario: Scenario, parquet: Callable[[pa.Table], Path]
) -> None:
    source = event_stream(scenario, parquet(rows(id=[5])))
    assert events(source) == [
        {
            "event_id": "5",
            "type": "payment",
            "event_time": NOON_MS,
            "fields": {"card_id": "7", "terminal_id": "online", "amount": 1234, "country": "ES"},
        }
    ]
    (batch,) = source.event_batches()
    assert batch.keys == [b"7"]
    assert not isinstance(Admission(scenario).admit(batch.values[0], batch.keys[0], NOON_MS), Rejected)


def test_events_come_in_the_order_of_time_and_id(scenario: Scenario, parquet: Callable[[pa.Table], Path]) -> None:
    times = [NOON + timedelta(minutes=minute) for minute in (3, 1, 2, 1)]
    source = event_stream(scenario, parquet(rows(id=["d", "c", "b", "a"], when=times)))
    assert [event["event_id"] for event in events(source)] == ["a", "c", "b", "d"]
    assert [event["event_id"] for event in events(event_stream(scenario, parquet(rows(when=times)), limit=2))] == [
        *("1", "3")
    ]


def test_an_optional_field_that_is_missing_is_left_out(scenario: Scenario, parquet: Callable[[pa.Table], Path]) -> None:
    source = event_stream(scenario, parquet(rows(land=["ES", None])))
    assert [event["fields"].get("country", "none") for event in events(source)] == ["ES", "none"]


def test_rows_that_are_no_events_are_told_by_number_and_cause_without_a_value(
    scenario: Scenario, parquet: Callable[[pa.Table], Path]
) -> None:
    table = rows(card=["a", None, "c", "d"], euros=["1", "2", "three", "4"], when=["2026-07-01"] * 3 + ["soon"])
    source = event_stream(scenario, parquet(table))
    rejects = {reject.row: reject for reject in source.rejects()}
    assert [event["event_id"] for event in events(source)] == ["0"]
    assert (source.rows, source.events, source.mapping) == (4, 1, 3)
    assert {row: reject.cause.split(":")[0] for row, reject in rejects.items()} == {
        1: "card_id",
        2: "amount",
        3: "event_time",
    }
    assert rejects[1].cause == "card_id: column card is empty"
    assert "three" not in rejects[2].cause
    assert msgspec.json.decode(rejects[2].value)["euros"] == "three"


def test_a_missing_column_is_named_with_the_nearest_and_all_there_are(
    scenario: Scenario, parquet: Callable[[pa.Table], Path]
) -> None:
    table = rows().rename_columns(["id", "when", "Card", "euros", "land", "bad"])
    with pytest.raises(UserError) as raised:
        event_stream(scenario, parquet(table))
    assert "no column 'card'; did you mean 'Card'?" in raised.value.what
    assert "id, when, Card, euros, land, bad" in raised.value.remedy


def test_a_file_of_which_no_row_fits_is_refused(scenario: Scenario, parquet: Callable[[pa.Table], Path]) -> None:
    with pytest.raises(UserError, match=r"None of 2 rows(.|\n)*euros is not a whole number"):
        event_stream(scenario, parquet(rows(euros=["x", "y"])))


def test_csv_gives_the_same_as_parquet(scenario: Scenario, parquet: Callable[[pa.Table], Path], tmp_path: Path) -> None:
    table = rows(card=["007", "1", 'ñandú, "x"'], land=["ES", None, "FR"])
    csv.write_csv(table, tmp_path / "foreign.csv")
    assert events(event_stream(scenario, tmp_path / "foreign.csv")) == events(event_stream(scenario, parquet(table)))


def test_csv_with_semicolons_and_a_broken_row(scenario: Scenario, tmp_path: Path) -> None:
    file = tmp_path / "foreign.csv"
    lines = ["id;when;card;euros;land;bad", "1;2026-07-01 12:00:00;007;0.29;ES;0", "2;oops", "3;2026-07-01;7;x;ES;0"]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = event_stream(scenario, file)
    assert [event["fields"]["amount"] for event in events(source)] == [29]
    assert [event["fields"]["card_id"] for event in events(source)] == ["007"]
    assert sorted((reject.row, reject.cause.split(":")[0]) for reject in source.rejects()) == [
        (1, "the row has 2 columns, not 6"),
        (2, "amount"),
    ]


def test_a_foreign_label_is_known_after_the_delay_and_only_with_one(
    scenario: Scenario, parquet: Callable[[pa.Table], Path]
) -> None:
    path = parquet(rows(bad=[1, 0, None]))
    assert labels(event_stream(scenario, path)) == []
    assert labels(event_stream(scenario, path, label_delay_ms=7 * DAY_MS)) == [
        Label("0", "7", True, NOON_MS + 7 * DAY_MS, "import"),
        Label("1", "7", False, NOON_MS + 60_000 + 7 * DAY_MS, "import"),
    ]


def test_a_simulation_comes_back_whole_and_in_order(tmp_path: Path) -> None:
    settings = settings_from(overrides={"days": 3, "customers.count": 100, "terminals.count": 30})
    story = files.write(simulate(settings, seed=1), tmp_path, settings=settings, seed=1)
    source = event_stream(load_scenario("cards"), tmp_path)
    found, known = events(source), labels(source)
    assert len(found) == len(known) == story["events"]
    assert [event["event_id"] for event in found] == pq.read_table(tmp_path / "events.parquet")["event_id"].to_pylist()
    assert [label.known_at for label in known] == sorted(label.known_at for label in known)


def test_a_limit_keeps_only_the_labels_of_its_events(tmp_path: Path) -> None:
    settings = settings_from(overrides={"days": 3, "customers.count": 100, "terminals.count": 30})
    files.write(simulate(settings, seed=1), tmp_path, settings=settings, seed=1)
    source = event_stream(load_scenario("cards"), tmp_path, limit=20)
    assert {label.event_id for label in labels(source)} == {event["event_id"] for event in events(source)}


def test_own_files_may_mix_types(scenario: Scenario, tmp_path: Path) -> None:
    login = EventType("login", False, 0, {"card_id": Field("card_id", "string"), "ok": Field("ok", "bool")}, ())
    both = replace(scenario, event_types=scenario.event_types | {"login": login})
    table = pa.table(
        {
            "event_id": ["1", "2", "3", "4"],
            "type": ["login", "payment", "logout", "payment"],
            "event_time": [NOON_MS, NOON_MS + 1, NOON_MS + 2, NOON_MS + 3],
            "card_id": ["a"] * 4,
            "terminal_id": [None, "t", "t", "t"],
            "amount": [None, 5, 5, None],
            "ok": [True, None, None, None],
        }
    )
    pq.write_table(table, tmp_path / "own.parquet")
    source = event_stream(both, tmp_path / "own.parquet")
    assert [(event["type"], event["fields"]) for event in events(source)] == [
        ("login", {"card_id": "a", "ok": True}),
        ("payment", {"card_id": "a", "terminal_id": "t", "amount": 5}),
    ]
    assert {reject.row: reject.cause for reject in source.rejects()} == {
        2: "type: column type is not one of payment, login",
        3: "amount: column amount is empty",
    }


def test_an_own_file_must_have_what_its_types_require(scenario: Scenario, tmp_path: Path) -> None:
    table = pa.table({"event_id": ["1"], "type": ["payment"], "event_time": [NOON_MS], "card_id": ["a"], "Amount": [5]})
    pq.write_table(table, tmp_path / "own.parquet")
    with pytest.raises(UserError, match="no column 'amount'; did you mean 'Amount'"):
        event_stream(scenario, tmp_path / "own.parquet")


def test_what_is_no_table_is_told(scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    for path in (tmp_path / "none.parquet", tmp_path, tmp_path / "empty.csv"):
        with pytest.raises(UserError, match=path.name):
            event_stream(scenario, path)
