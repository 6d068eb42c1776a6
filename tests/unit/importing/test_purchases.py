"""The built-in scenario of purchases decides on every row of a file with the columns that its mapping names."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fraudbrain_deploy.importing import EventSource, event_stream
from fraudbrain_shared.admission import Admission, Rejected
from fraudbrain_shared.decisions.decide import DecisionCore, Origin
from fraudbrain_shared.features import Profile, ProfileFold
from fraudbrain_shared.records import Decision, RuleSet, Source
from fraudbrain_shared.scenario import Scenario, find_scenario, load_scenario

ROWS = 600
NEW_YEAR = datetime(2019, 1, 1, 12)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("purchases")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten cards buy something for 20 to 40 every few hours; at the end one of them spends a lot at night."""
    categories = ["grocery_pos", "shopping_net", "gas_transport"]
    rows: list[dict[str, Any]] = [
        {
            "ts": NEW_YEAR + timedelta(minutes=41 * row),
            "category": categories[row % 3],
            "amt": 20.0 + (row * 37 % 2_000) / 100,
            "is_fraud": 0,
            "cc_num": row % 10,
        }
        for row in range(ROWS - 1)
    ]
    night = (NEW_YEAR + timedelta(days=20)).replace(hour=23)
    rows.append({"ts": night, "category": "shopping_net", "amt": 1_999.99, "is_fraud": 1, "cc_num": 3})
    columns: dict[str, pa.Array] = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    columns |= {
        "trans_id": pa.array(range(ROWS), pa.int32()),
        "ts": columns["ts"].cast(pa.timestamp("ms")),
        "category": columns["category"].dictionary_encode(),
        "is_fraud": columns["is_fraud"].cast(pa.int8()),
        "cc_num": columns["cc_num"].cast(pa.int32()),
        "merchant": pa.array([f"merchant {row % 7}, Ltd" for row in range(ROWS)]).dictionary_encode(),
        "gender": pa.array(["F"] * ROWS),
        "age": pa.array([40.0] * ROWS),
        **{name: pa.array([40.0 + row / ROWS for row in range(ROWS)]) for name in ("lat", "merch_lat")},
        **{name: pa.array([-3.0] * ROWS) for name in ("long", "merch_long")},
    }
    path = tmp_path_factory.mktemp("purchases") / "purchases.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def decided(scenario: Scenario, source: EventSource) -> Iterator[Decision | Rejected]:
    """Every row, decided in order by the same functions as in the fast tier."""
    fold, admission = ProfileFold(scenario), Admission(scenario)
    rules = RuleSet(scenario.version, scenario.rules, scenario.policy)
    core = DecisionCore(scenario, rules, Origin("test", 1, "test"), fold)
    profiles: dict[bytes, Profile] = {}
    for batch in source.event_batches():
        for due, key, value in zip(batch.due, batch.keys, batch.values, strict=True):
            event = admission.admit(value, key, due)
            if isinstance(event, Rejected):
                yield event
                continue
            profile = profiles.setdefault(key, Profile(key.decode()))
            yield core.decide(event, profile, Source(0, 0, 0, due))
            fold.fold(profile, event)


def test_every_row_is_decided(scenario: Scenario, file: Path) -> None:
    source = event_stream(scenario, file, label_delay_ms=0)
    decisions = list(decided(scenario, source))
    assert (source.rows, source.mapping, source.labels) == (ROWS, 0, ROWS)
    assert Counter(type(each) for each in decisions) == {Decision: ROWS}


def test_what_is_far_above_a_cards_habit_at_night_is_declined(scenario: Scenario, file: Path) -> None:
    decisions = [each for each in decided(scenario, event_stream(scenario, file)) if isinstance(each, Decision)]
    by_outcome = {outcome: [each for each in decisions if each.outcome == outcome] for outcome in ("decline", "review")}
    assert [each.event_id for each in by_outcome["decline"]] == [str(ROWS - 1)]
    assert by_outcome["decline"][0].findings == ("far_above_usual", "large_at_night")
    assert len(by_outcome["review"]) < ROWS / 20
    assert not any(each.failed for each in decisions)


def test_the_scenario_is_short() -> None:
    """A newcomer describes a foreign file in an hour."""
    lines = [line for file in find_scenario("purchases").glob("*.toml") for line in file.read_text().splitlines()]
    assert len(lines) <= 150
