"""A validation is what training and measuring each week by hand gives; beside it stands what was there before."""

import os
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fraudbrain_offline.comparison import Events, compare
from fraudbrain_offline.dataset import DataSet
from fraudbrain_offline.held_out import Rows, held_out, learnt_from, stretches
from fraudbrain_offline.metrics import Cost, auc_roc, average_precision, card_precision, recall_at_fpr
from fraudbrain_offline.threshold_sweep import Scores
from fraudbrain_offline.training import as_matrix, scores, train
from fraudbrain_offline.validation import Validation, validate
from fraudbrain_offline.validation_table import as_table
from fraudbrain_shared.scenario.description import Money
from tests.unit.offline.data_sets import MODEL, data_set

PAGE = Path(__file__).with_name("validation.txt")
MONEY = Money("event.amount", 300, 0.02)


def validated(data: DataSet) -> Validation:
    return validate(data, MODEL, amounts=data.rows[:, 0].astype(np.float64), money=MONEY)


def by_hand(data: DataSet) -> list[tuple[Rows, Scores]]:
    """Each week's events and their scores."""
    found = []
    for stretch in stretches(data):
        learnt, tested = learnt_from(data, stretch.begin_ms), held_out(data, stretch)
        booster = train(as_matrix(data.rows[learnt], data.features, data.fraud[learnt]), MODEL)
        found.append((tested, scores(booster, as_matrix(data.rows[tested], data.features))))
    return found


def test_each_week_and_their_mean_are_those_of_measuring_by_hand() -> None:
    data = data_set()
    found = validated(data)
    measured = []
    for (rows, scored), week in zip(by_hand(data), found.weeks, strict=True):
        fraud = data.fraud[rows]
        measured.append(
            (
                auc_roc(fraud, scored),
                average_precision(fraud, scored),
                recall_at_fpr(fraud, scored),
                card_precision(fraud, scored, data.subjects[rows], data.event_times[rows]),
            )
        )
        assert (*msgspec.structs.astuple(week.measures), week.card_precision_100) == pytest.approx(measured[-1])
        assert (week.rows, week.frauds) == (len(rows), fraud.sum())
    metrics = found.metrics()
    names = ("auc_roc", "average_precision", "recall_at_1pct_fpr", "card_precision_100")
    assert [metrics[name] for name in names] == pytest.approx(np.mean(measured, axis=0))
    assert metrics["held_out_rows"] == sum(week.rows for week in found.weeks)
    assert metrics["held_out_frauds"] == sum(week.frauds for week in found.weeks)
    for name in names[:3]:
        assert metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"]


def test_equal_data_give_an_equal_validation() -> None:
    first, again = (msgspec.json.encode(validated(data_set())) for _ in range(2))
    assert first == again


def test_a_week_without_frauds_is_left_out_and_without_any_nothing_is_measured() -> None:
    data = data_set()
    first, *_, last = stretches(data)
    quiet = data.fraud & (data.event_times < last.begin_ms)
    assert len(validated(replace(data, fraud=quiet)).weeks) == 3
    assert validated(replace(data, fraud=data.fraud & (data.event_times < first.begin_ms))) == Validation()
    assert validated(replace(data, fraud=np.zeros(len(data), np.bool_))).metrics() == {}


def test_the_model_is_compared_with_the_rules_and_with_the_live_model_on_the_same_events() -> None:
    data = data_set()
    begin_ms = stretches(data)[1].begin_ms
    perfect = np.where(data.event_times >= begin_ms, data.fraud.astype(np.float64), np.nan)  # none was live before
    found = validated(replace(data, champion_scores=perfect, findings=np.arange(len(data)) % 2))
    rules, champion = found.against_rules, found.against_champion
    assert rules is not None and champion is not None
    assert rules.model == found.measures
    assert (rules.rows, champion.rows) == tuple(sum(w.rows for w in weeks) for weeks in (found.weeks, found.weeks[1:]))
    assert rules.other.auc_roc == pytest.approx(0.5, abs=0.2)
    metrics = found.metrics()
    assert 0 < metrics["average_precision_over_rules_low"] < metrics["average_precision_over_rules"]
    assert champion.other.average_precision == 1.0
    assert metrics["average_precision_over_champion_high"] < 0


def test_without_findings_and_live_scores_there_is_nothing_to_compare_with() -> None:
    data = data_set()
    found = validated(replace(data, findings=np.zeros_like(data.findings)))
    assert (found.against_rules, found.against_champion) == (None, None)
    assert found.weeks


def test_segments_divide_the_held_out_events_by_type_and_by_quarters_of_the_amount() -> None:
    found = validated(data_set())
    types, amounts = found.segments[:2], found.segments[2:]
    assert [segment.name for segment in types] == ["payment", "refund"]
    assert [segment.name.rpartition(" ")[0] for segment in amounts] == [*["amount up to"] * 3, "amount above"]
    for segments in (types, amounts):
        assert sum(each.rows for each in segments) == found.metrics()["held_out_rows"]
        assert sum(each.frauds for each in segments) == found.metrics()["held_out_frauds"]
    assert max(each.rows for each in amounts) - min(each.rows for each in amounts) <= 2


def test_without_money_there_are_no_costs_and_no_segments_by_amount() -> None:
    found = validate(data_set(), MODEL)
    assert (found.approve_all, found.as_decided) == (None, None)
    assert [segment.name for segment in found.segments] == ["payment", "refund"]


def test_both_scorings_are_charged_for_as_many_reviews_of_each_week() -> None:
    events = Events(
        subjects=np.array(list("abcdefgh")),
        fraud=np.array([True, False, False, False, True, True, False, False]),
        weeks=[np.arange(4), np.arange(4, 8)],
        amounts=np.array([10.0, 20.0, 30.0, np.nan, 1_000.0, 2_000.0, 3_000.0, 4_000.0]),
        money=Money("event.amount", 5, 0.5),
    )
    looked_at = np.array([False, True, False, True, True, False, False, True])  # the fourth's amount is not known
    model = np.array([0.9, 0.1, 0.1, 0.1, 0.2, 0.8, 0.7, 0.1])
    other = np.array([0.1, 0.9, 0.1, 0.1, 0.8, 0.1, 0.7, 0.1])
    found = compare(events, model, other, looked_at)
    assert found is not None and found.costs is not None
    assert found.costs.reviews == 3
    assert found.costs.model == Cost(fraud=1_000, reviews=15, declines=0)
    assert found.costs.other == Cost(fraud=2_010, reviews=15, declines=0)


def test_people_read_a_table() -> None:
    """REWRITE=1 writes it anew: review its diff."""
    data = data_set(payments=6_000)
    live = np.where(data.event_times >= stretches(data)[2].begin_ms, data.rows[:, 1].astype(np.float64), np.nan)
    shown = as_table(validated(replace(data, champion_scores=live))) + "\n\n" + as_table(Validation()) + "\n"
    if os.environ.get("REWRITE"):
        PAGE.write_text(shown)
    assert shown == PAGE.read_text()
