"""A run of training: the same data give the same release, which the fast tier can use."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fraudbrain_offline.dataset import read_data_set
from fraudbrain_offline.held_out import held_out, stretches
from fraudbrain_offline.metrics import Cost
from fraudbrain_offline.pipeline import NotEnough, run_training
from fraudbrain_offline.release import starting_values
from fraudbrain_offline.validation import Validation, validate
from fraudbrain_shared.models import load_scorer
from fraudbrain_shared.scenario.description import ModelDescription
from tests.unit.offline.lakes import BEGIN_MS, CARDS, NAMES, history
from tests.unit.streaming.archiving import DAY_MS

MODEL = ModelDescription(features=("amount", "amount_over_usual"), retrain_every_ms=DAY_MS, min_frauds=10, rounds=10)
SCENARIO = replace(CARDS, model=replace(MODEL, starting_shares={"review_score": 0.05, "decline_score": 0.01}))
CUT_MS = BEGIN_MS + 55 * DAY_MS


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return history(tmp_path_factory.mktemp("lake"))


def test_equal_data_give_equal_bytes(lake: Path, tmp_path: Path) -> None:
    first = run_training(lake, SCENARIO, as_of_ms=CUT_MS)
    again = run_training(history(tmp_path), SCENARIO, as_of_ms=CUT_MS)
    assert (first.record, first.booster) == (again.record, again.booster)


def test_labels_known_after_the_cut_change_nothing(lake: Path, tmp_path: Path) -> None:
    cut_ms = BEGIN_MS + 30 * DAY_MS
    shorter = history(tmp_path, payments=1_500)  # the same lake; what comes after the cut is there as well
    assert (
        run_training(lake, SCENARIO, as_of_ms=cut_ms).record == run_training(shorter, SCENARIO, as_of_ms=cut_ms).record
    )
    later = run_training(lake, SCENARIO, as_of_ms=cut_ms + DAY_MS)
    assert later.release.rows > run_training(lake, SCENARIO, as_of_ms=cut_ms).release.rows


def test_the_release_scores_decisions_as_they_are_logged(lake: Path) -> None:
    trained = run_training(lake, SCENARIO, as_of_ms=CUT_MS)
    scorer = load_scorer(trained.record, NAMES)
    logged = {"usual": (20.0, 1.0), "unusual": (400.0, 9.0)}
    scores = {
        name: scorer.score([{"amount": amount, "amount_over_usual": times}.get(each) for each in NAMES])
        for name, (amount, times) in logged.items()
    }
    assert scores["usual"] < 0.2 < scores["unusual"]
    assert trained.release.metrics["average_precision"] > 0.5
    assert trained.release.starting_values["review_score"] <= trained.release.starting_values["decline_score"]


def test_too_few_frauds_are_no_failure(lake: Path) -> None:
    with pytest.raises(NotEnough, match=r"0 frauds are known among 0 labelled decisions, 10 are needed"):
        run_training(lake, SCENARIO, as_of_ms=BEGIN_MS)
    with pytest.raises(NotEnough, match=r"has no model\.toml"):
        run_training(lake, replace(CARDS, model=None), as_of_ms=CUT_MS)


def test_a_threshold_starts_where_its_share_of_events_scores_within_its_bounds() -> None:
    scores = np.linspace(0, 1, 1001, dtype=np.float32)
    starts = starting_values(scores, {"review_score": 0.1, "decline_score": 0.00001}, CARDS.parameters)
    assert starts["review_score"] == pytest.approx(0.901)  # the least of the 100 that score highest
    assert starts["decline_score"] == CARDS.parameters["decline_score"].high


def test_validation_trains_on_what_was_known_when_the_held_out_part_began(lake: Path) -> None:
    data = read_data_set(lake, SCENARIO, MODEL.features, cut_ms=CUT_MS)
    late = replace(data, known_at=np.full_like(data.known_at, CUT_MS))
    assert validate(data, MODEL).metrics()["auc_roc"] > 0.9
    assert validate(late, MODEL) == Validation()  # nothing was known in time


def test_what_errors_cost_is_reckoned_with_the_archived_amounts(lake: Path) -> None:
    validation = run_training(lake, SCENARIO, as_of_ms=CUT_MS).validation
    data = read_data_set(lake, SCENARIO, MODEL.features, cut_ms=CUT_MS)
    judged = np.concatenate([held_out(data, stretch) for stretch in stretches(data)])
    frauds = judged[data.fraud[judged]]
    assert validation.approve_all == Cost(fraud=int(np.round(data.rows[frauds, 0]).sum()), reviews=0, declines=0)
    assert validation.as_decided == validation.approve_all  # as everything was
