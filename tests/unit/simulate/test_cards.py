from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from fraudbrain_deploy.simulation import Simulated, files
from fraudbrain_deploy.simulation.cards import CardSettings, SettingsError, describe, settings_from, simulate

DAY_MS = 86_400_000
SMALL: dict[str, Any] = {
    "days": 20,
    "customers.count": 200,
    "terminals.count": 80,
    "stolen_card.rate": 5.0,
    "compromised_terminal.rate": 5.0,
    "copied_details.rate": 5.0,
    "card_testing.rate": 0.5,
    "attack": [
        {
            "day": 10,
            "time": "13:00",
            "minutes": 30.0,
            "terminals": 1,
            "per_minute": 4.0,
            "cards": 20,
            "amount_times": 3.0,
        }
    ],
    "rush": [
        {
            "day": 12,
            "time": "09:30",
            "minutes": 30.0,
            "terminals": 1,
            "per_minute": 4.0,
            "cards": 60,
            "amount_times": 1.0,
        }
    ],
}
HABITS = ("stolen_card", "compromised_terminal", "copied_details", "card_testing")


def small(**overrides: Any) -> CardSettings:
    return settings_from(overrides=SMALL | {name.replace("__", "."): value for name, value in overrides.items()})


def rows_of(simulated: Simulated, *habits: str) -> set[tuple[Any, ...]]:
    """Everything about the payments of these habits, labels included."""
    rows, labels = simulated.rows, simulated.labels
    where = np.flatnonzero(np.isin(rows.habit, [habit.encode() for habit in habits]))
    columns = [rows.event_id, rows.event_time, *rows.fields.values(), rows.fraud, labels.fraud, labels.known_at]
    return {tuple(column[row].item() for column in columns) for row in where}


def times_of(simulated: Simulated, habit: str) -> Any:
    return simulated.rows.event_time[simulated.rows.habit == habit.encode()]


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        files.write(simulate(small(), seed=7), tmp_path / folder, settings=small(), seed=7)
    for name in ("events.parquet", "labels.parquet", "truth.parquet", "simulation.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_another_seed_gives_other_payments() -> None:
    one, two = simulate(small(), seed=1), simulate(small(), seed=2)
    assert not set(one.rows.event_id.tolist()) & set(two.rows.event_id.tolist())


@pytest.mark.parametrize("off", HABITS)
def test_turning_a_habit_off_leaves_all_other_fraud_as_it_is(off: str) -> None:
    others = [*(habit for habit in HABITS if habit != off), "attack_1", "rush_1"]
    whole, without = simulate(small(), seed=3), simulate(small(**{f"{off}__rate": 0.0}), seed=3)
    assert rows_of(whole, off)
    assert not rows_of(without, off)
    assert rows_of(whole, *others) == rows_of(without, *others)


def test_turning_a_habit_off_leaves_ordinary_payments_as_they_are() -> None:
    whole, without = simulate(small(), seed=3), simulate(small(stolen_card__rate=0.0), seed=3)
    assert rows_of(whole, "") == rows_of(without, "")


def test_a_habit_keeps_to_its_days() -> None:
    settings = small(stolen_card__from_day=4, stolen_card__to_day=5)
    days = (times_of(simulate(settings, seed=1), "stolen_card") - settings.start_ms()) / DAY_MS
    assert days.min() >= 4
    assert days.max() < 6 + settings.stolen_card.hours / 24


@pytest.mark.parametrize(("wave", "day", "hour", "fraud"), [("attack_1", 10, 13.0, True), ("rush_1", 12, 9.5, False)])
def test_a_wave_comes_when_it_is_dated_at_one_terminal(wave: str, day: int, hour: float, fraud: bool) -> None:
    settings = small()
    simulated = simulate(settings, seed=1)
    rows = simulated.rows
    hit = rows.habit == wave.encode()
    begin = settings.start_ms() + day * DAY_MS + hour * 3_600_000
    assert hit.sum() == 120
    assert (rows.event_time[hit] >= begin).all()
    assert (rows.event_time[hit] < begin + 30 * 60_000).all()
    assert len(set(rows.fields["terminal_id"][hit].tolist())) == 1
    assert (rows.fraud[hit] == fraud).all()


def test_stolen_cards_pay_far_over_their_habit_and_testers_next_to_nothing() -> None:
    rows = simulate(small(), seed=5).rows
    amount = rows.fields["amount"]
    usual = np.median(amount[rows.habit == b""])
    assert np.median(amount[rows.habit == b"stolen_card"]) > 3 * usual
    assert amount[rows.habit == b"card_testing"].max() <= 200


def test_events_are_in_the_order_of_time_and_id_and_ids_are_unique() -> None:
    rows = simulate(small(), seed=1).rows
    identity = list(zip(rows.event_time.tolist(), rows.event_id.tolist(), strict=True))
    assert identity == sorted(identity)
    assert len(set(rows.event_id.tolist())) == len(rows.event_id)


def test_labels_come_late_and_some_fraud_is_never_reported() -> None:
    settings = small(labels__unreported=0.3)
    simulated = simulate(settings, seed=1)
    rows, labels = simulated.rows, simulated.labels
    wait_days = (labels.known_at - rows.event_time) / DAY_MS
    missed = 1 - labels.fraud[rows.fraud].mean()
    assert not labels.fraud[~rows.fraud].any()
    assert 0.15 < missed < 0.45
    assert (wait_days[~labels.fraud] == settings.labels.good_days).all()
    assert wait_days[labels.fraud].std() > 0.5
    assert wait_days.max() <= settings.labels.fraud_days_most


def test_the_truth_names_the_habit_of_every_fraud(tmp_path: Path) -> None:
    simulated = simulate(small(), seed=1)
    story = files.write(simulated, tmp_path, settings=small(), seed=1)
    truth = pq.read_table(tmp_path / "truth.parquet").to_pylist()
    assert sum(row["fraud"] for row in truth) == story["fraud"] == int(simulated.rows.fraud.sum())
    assert {row["habit"] for row in truth} == {*HABITS, "attack_1", "rush_1"}
    assert pq.read_schema(tmp_path / "events.parquet").names == [
        *("event_id", "type", "event_time"),
        *("card_id", "terminal_id", "amount"),
    ]


def test_the_printed_settings_are_the_defaults(tmp_path: Path) -> None:
    printed = tmp_path / "printed.toml"
    printed.write_text(describe(), encoding="utf-8")
    assert settings_from(printed) == settings_from()


def test_a_file_need_hold_only_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "few.toml"
    file.write_text("days = 3\n[stolen_card]\nrate = 0\n", encoding="utf-8")
    settings = settings_from(file, {"days": 4})
    assert (settings.days, settings.stolen_card.rate) == (4, 0)
    assert settings.stolen_card.hours == settings_from().stolen_card.hours


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[stolen_card]\nrat = 1\n", r"unknown field `rat` - at `\$\.stolen_card`"),
        ("[terminals]\ncount = 0\n", r">= 1 - at `\$\.terminals\.count`"),
        ("days = \n", "few.toml"),
    ],
)
def test_wrong_settings_are_told_with_their_place(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "few.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=told):
        settings_from(file)
