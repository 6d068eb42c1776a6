"""A data set holds what was known at its cut, and nothing later."""

from pathlib import Path

import numpy as np
import pytest

from fraudbrain_offline.dataset import DataSet, read_data_set
from fraudbrain_shared.records import Scores
from tests.unit.offline.lakes import BEGIN_MS, CARDS, decision, fill, history, label
from tests.unit.streaming.archiving import DAY_MS

FEATURES = ("amount", "spend_1d_count")


def read(lake: Path, cut_ms: int, window_ms: int | None = None) -> DataSet:
    return read_data_set(lake, CARDS, FEATURES, cut_ms=cut_ms, window_ms=window_ms)


def frauds(data: DataSet) -> dict[str, bool]:
    return dict(zip(data.event_ids.tolist(), data.fraud.tolist(), strict=True))


def test_the_latest_label_known_at_the_cut_counts_and_nothing_later(tmp_path: Path) -> None:
    known = [BEGIN_MS + days * DAY_MS for days in (0, 1, 2, 3)]
    labels = [label("a", known[2], fraud=False), label("a", known[1], fraud=True), label("b", known[3], fraud=True)]
    lake = fill(tmp_path, [decision("a"), decision("b")], labels)
    assert frauds(read(lake, known[1] - 1)) == {}
    assert frauds(read(lake, known[1])) == {"a": True}
    assert frauds(read(lake, known[2])) == {"a": False}
    assert frauds(read(lake, known[3])) == {"a": False, "b": True}
    assert [read(lake, at).unlabelled for at in known] == [2, 1, 1, 0]


def test_a_label_moves_no_earlier_than_it_was_known_whatever_else_is_in_the_lake(tmp_path: Path) -> None:
    lake = history(tmp_path, payments=300)
    for days in (10, 25, 40):
        data = read(lake, BEGIN_MS + days * DAY_MS)
        assert len(data) > 0
        assert data.known_at.max() <= data.cut_ms
        assert data.event_times.max() <= data.cut_ms - 7 * DAY_MS


def test_of_two_decisions_the_effective_one_gives_the_features(tmp_path: Path) -> None:
    decisions = [decision("a", amount=2.0, generation=2), decision("a", amount=1.0), decision("a", amount=3.0)]
    data = read(fill(tmp_path, decisions, [label("a", BEGIN_MS, fraud=True)]), BEGIN_MS)
    assert data.rows.tolist() == [[1.0, pytest.approx(np.nan, nan_ok=True)]]


def test_rows_stand_in_the_order_of_event_time_and_event_id(tmp_path: Path) -> None:
    times = {"c": 0, "a": 1, "d": 0, "b": 1}
    decisions = [decision(name, BEGIN_MS + time, amount=float(time)) for name, time in times.items()]
    data = read(fill(tmp_path, decisions, [label(name, BEGIN_MS, fraud=False) for name in "abcd"]), BEGIN_MS + 1)
    assert data.event_ids.tolist() == ["c", "d", "a", "b"]
    assert data.rows[:, 0].tolist() == [0.0, 0.0, 1.0, 1.0]


def test_decisions_of_other_features_are_left_out_and_counted(tmp_path: Path) -> None:
    decisions = [decision("a"), decision("b", feature_set="earlier", features=(1.0,)), decision("c")]
    labels = [label("a", BEGIN_MS, fraud=True), label("b", BEGIN_MS, fraud=True)]
    data = read(fill(tmp_path, decisions, labels), BEGIN_MS)
    assert (frauds(data), data.other_feature_sets, data.unlabelled) == ({"a": True}, 1, 1)


def test_a_label_of_another_subject_with_the_same_event_id_is_not_this_ones(tmp_path: Path) -> None:
    lake = fill(tmp_path, [decision("a")], [label("a", BEGIN_MS, fraud=True, subject="other")])
    assert len(read(lake, BEGIN_MS)) == 0


def test_only_the_window_before_the_cut_is_read(tmp_path: Path) -> None:
    decisions = [decision(str(day), BEGIN_MS + day * DAY_MS) for day in range(5)]
    lake = fill(tmp_path, decisions, [label(str(day), BEGIN_MS + day * DAY_MS, fraud=False) for day in range(5)])
    assert read(lake, BEGIN_MS + 4 * DAY_MS, 2 * DAY_MS).event_ids.tolist() == ["3", "4"]


def test_what_float32_cannot_hold_is_missing(tmp_path: Path) -> None:
    data = read(fill(tmp_path, [decision("a", amount=1e300)], [label("a", BEGIN_MS, fraud=True)]), BEGIN_MS)
    assert np.isnan(data.rows).all()


def test_events_too_young_for_the_slower_kind_of_label_are_left_out(tmp_path: Path) -> None:
    """Frauds are known after a day, good events after ten: of the last ten days only frauds would be there."""
    decisions, labels = [], []
    for day in range(30):
        for name, delay_days, fraud in ((f"f{day}", 1, True), (f"g{day}", 10, False)):
            event_time = BEGIN_MS + day * DAY_MS
            decisions.append(decision(name, event_time))
            labels.append(label(name, event_time + delay_days * DAY_MS, fraud=fraud))
    data = read(fill(tmp_path, decisions, labels), BEGIN_MS + 30 * DAY_MS)
    assert (data.maturity_ms, data.immature) == (10 * DAY_MS, 9)
    assert (data.frauds, len(data)) == (21, 42)


def test_a_decision_whose_context_knew_of_later_events_is_left_out(tmp_path: Path) -> None:
    clocks = {"before": BEGIN_MS - 1, "at": BEGIN_MS, "after": BEGIN_MS + 1, "none": None}
    decisions = [decision(name, context_clock=clock) for name, clock in clocks.items()]
    data = read(fill(tmp_path, decisions, [label(name, BEGIN_MS, fraud=True) for name in clocks]), BEGIN_MS)
    assert sorted(data.event_ids.tolist()) == ["before", "none"]


def test_what_was_decided_at_the_time_stands_beside_what_is_learnt_from(tmp_path: Path) -> None:
    decisions = [
        decision("a", outcome="decline", findings=("one", "other"), scores=Scores(champion=0.25)),
        decision("b", type="refund"),
    ]
    data = read(fill(tmp_path, decisions, [label(name, BEGIN_MS, fraud=True) for name in "ab"]), BEGIN_MS)
    assert data.types.tolist() == ["payment", "refund"]
    assert data.outcomes.tolist() == ["decline", "approve"]
    assert data.findings.tolist() == [2, 0]
    np.testing.assert_array_equal(data.champion_scores, [0.25, np.nan])
