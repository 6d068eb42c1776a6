"""What an event is about is read from the archived event, by the scenario's expression."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from fraudbrain_offline.amounts import read_amounts
from fraudbrain_offline.dataset import read_data_set
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.description import Money
from tests.unit.offline.lakes import BEGIN_MS, CARDS, decision, fill, label, payment

DOUBLED = replace(CARDS, money=Money("double(event.amount) * 2.0", 300, 0.02))


def amounts(folder: Path, scenario: Scenario, *, since_ms: int = BEGIN_MS) -> list[float]:
    """Of a decision whose event is archived twice, one of another card with the same id, one without its event, and
    one that is a millisecond younger."""
    decisions = [decision("a"), decision("a", subject="other"), decision("b"), decision("c", BEGIN_MS + 1)]
    labels = [label(name, BEGIN_MS + 1, fraud=True) for name in "abc"]
    labels.append(label("a", BEGIN_MS + 1, fraud=True, subject="other"))
    events = [payment("a", 5), payment("a", 5), payment("a", 7, subject="other"), payment("c", 9, BEGIN_MS + 1)]
    lake = fill(folder, decisions, labels, events)
    data = read_data_set(lake, CARDS, ("amount",), cut_ms=BEGIN_MS + 2)
    found = read_amounts(lake, scenario, data, since_ms=since_ms)
    named = dict(zip(zip(data.subjects.tolist(), data.event_ids.tolist(), strict=True), found.tolist(), strict=True))
    return [named["card", "a"], named["other", "a"], named["card", "b"], named["card", "c"]]


def test_amounts_are_those_of_the_events_by_subject_and_id(tmp_path: Path) -> None:
    np.testing.assert_array_equal(amounts(tmp_path, CARDS), [5, 7, np.nan, 9])


def test_they_are_what_the_scenario_says_and_unknown_where_it_says_nothing(tmp_path: Path) -> None:
    np.testing.assert_array_equal(amounts(tmp_path / "doubled", DOUBLED), [10, 14, np.nan, 18])
    np.testing.assert_array_equal(amounts(tmp_path / "none", replace(CARDS, money=None)), [np.nan] * 4)


def test_only_the_events_that_are_asked_for_are_read(tmp_path: Path) -> None:
    np.testing.assert_array_equal(amounts(tmp_path, CARDS, since_ms=BEGIN_MS + 1), [np.nan, np.nan, np.nan, 9])


def test_an_archived_event_that_the_scenario_no_longer_takes_has_no_amount(tmp_path: Path) -> None:
    event = CARDS.event_types["payment"]
    stricter = {**event.fields, "amount": replace(event.fields["amount"], max=6)}
    scenario = replace(CARDS, event_types={"payment": replace(event, fields=stricter)})
    np.testing.assert_array_equal(amounts(tmp_path, scenario), [5, np.nan, np.nan, np.nan])
