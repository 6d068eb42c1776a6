"""What is learnt from is as of just before each event, from the core's fold through the lake to the data set.

A slow, obvious count is the judge; that it would notice is shown on decisions which count their own event.
"""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from fraudbrain_offline.dataset import DataSet, read_data_set
from fraudbrain_shared.decisions import Simulation
from fraudbrain_shared.records import Decision
from fraudbrain_shared.scenario import Scenario, load_scenario
from tests.unit.offline.lakes import BEGIN_MS, fill, label, payment
from tests.unit.streaming.archiving import DAY_MS

FEATURES = ("spent_count", "spent_sum", "spent_max")
FILES = {
    "scenario.toml": 'name = "counting"\nsubject = "card_id"\n',
    "events.toml": """
        [payment]
        decide = true
        deadline = "50ms"
        safe_default = [{ outcome = "approve" }]
        [payment.fields]
        card_id = { type = "string", max_length = 64 }
        amount = { type = "int", min = 0, max = 1_000_000 }
    """,
    "features.toml": """
        [profile.spent]
        on = "payment"
        value = "event.amount"
        read = ["count", "sum", "max"]
    """,
}
Payment = tuple[str, str, int, int]  # event id, card, amount, event time


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    folder = tmp_path / "scenario"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return load_scenario(str(folder))


def payments(seed: int) -> list[Payment]:
    """Of few cards, often several at one time, in the order of the log."""
    chance = np.random.default_rng(seed)
    times = BEGIN_MS + np.sort(chance.integers(0, 300, 400)) * 3_600_000
    cards, amounts = chance.integers(0, 8, 400), chance.integers(1, 1_000, 400)
    return [
        (f"e{at:04}", f"card{card}", int(amount), int(time))
        for at, (card, amount, time) in enumerate(zip(cards, amounts, times, strict=True))
    ]


def decided(scenario: Scenario, sent: list[Payment]) -> list[Decision]:
    simulation = Simulation(scenario)
    endings = [
        simulation.take(card.encode(), payment(event_id, amount, time, subject=card), time)
        for event_id, card, amount, time in sent
    ]
    return [each for each in endings if isinstance(each, Decision)]


def read(folder: Path, scenario: Scenario, decisions: list[Decision]) -> DataSet:
    known_at = BEGIN_MS + 30 * DAY_MS
    labels = [label(each.event_id, known_at, fraud=False, subject=each.subject) for each in decisions]
    lake = fill(folder, list(map(msgspec.json.encode, decisions)), labels)
    return read_data_set(lake, scenario, FEATURES, cut_ms=known_at + 30 * DAY_MS)


def wrong(data: DataSet, sent: list[Payment]) -> int:
    """How many rows are not what the card's earlier payments, one by one, add up to."""
    expected: dict[str, tuple[float, float, float]] = {}
    for at, (event_id, card, _, _) in enumerate(sent):
        before = [amount for _, other, amount, _ in sent[:at] if other == card]
        expected[event_id] = (len(before), sum(before), max(before, default=np.nan))
    rows = zip(data.event_ids, data.rows, strict=True)
    return sum(not np.array_equal(row, np.array(expected[str(name)], np.float32), equal_nan=True) for name, row in rows)


def counting_themselves(decisions: list[Decision]) -> list[Decision]:
    """The same as if each event were folded before it is decided: each has what its card's next decision saw."""
    following: dict[str, Decision] = {}
    found = []
    for each in reversed(decisions):
        if each.subject in following:
            found.append(msgspec.structs.replace(each, features=following[each.subject].features))
        following[each.subject] = each
    return found[::-1]


@pytest.mark.parametrize("seed", range(2))
def test_no_event_counts_itself(seed: int, tmp_path: Path, scenario: Scenario) -> None:
    sent = payments(seed)
    data = read(tmp_path / "lake", scenario, decided(scenario, sent))
    assert (len(data), wrong(data, sent)) == (len(sent), 0)


def test_events_that_count_themselves_are_caught(tmp_path: Path, scenario: Scenario) -> None:
    sent = payments(0)
    planted = counting_themselves(decided(scenario, sent))
    data = read(tmp_path / "lake", scenario, planted)
    assert wrong(data, sent) == len(data) == len(planted) > 300
