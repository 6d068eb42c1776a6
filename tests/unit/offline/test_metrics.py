"""The measures against scikit-learn, and by hand: card precision of a day, recall among ties, money."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from fraudbrain_offline.metrics import DAY_MS, Cost, auc_roc, average_precision, card_precision, money, recall_at_fpr
from fraudbrain_offline.threshold_sweep import Scores, Truth

SEEDS = pytest.mark.parametrize("seed", range(5))
DIGITS = pytest.mark.parametrize("digits", [1, 8])  # one digit: many ties


def scored(seed: int, digits: int) -> tuple[Truth, Scores]:
    chance = np.random.default_rng(seed)
    fraud = chance.random(500) < 0.1
    return fraud, np.round(chance.random(500) * 0.7 + fraud * 0.3, digits)


@SEEDS
@DIGITS
def test_auc_and_average_precision_are_those_of_scikit_learn(seed: int, digits: int) -> None:
    fraud, scores = scored(seed, digits)
    assert auc_roc(fraud, scores) == pytest.approx(roc_auc_score(fraud, scores))
    assert average_precision(fraud, scores) == pytest.approx(average_precision_score(fraud, scores))


@SEEDS
@DIGITS
@pytest.mark.parametrize("at_fpr", [0.01, 0.1])
def test_recall_at_a_share_of_false_positives_is_the_best_on_scikit_learns_curve(
    seed: int, digits: int, at_fpr: float
) -> None:
    fraud, scores = scored(seed, digits)
    fpr, tpr, _ = roc_curve(fraud, scores, drop_intermediate=False)
    assert recall_at_fpr(fraud, scores, at_fpr=at_fpr) == pytest.approx(tpr[fpr <= at_fpr].max())


@SEEDS
@DIGITS
def test_an_event_that_weighs_twice_counts_as_two_and_one_of_no_weight_as_none(seed: int, digits: int) -> None:
    fraud, scores = scored(seed, digits)
    weights = np.random.default_rng(seed).integers(0, 4, 500)
    repeated, again = np.repeat(fraud, weights), np.repeat(scores, weights)
    for measure in (auc_roc, average_precision, recall_at_fpr):
        assert measure(fraud, scores, weights) == pytest.approx(measure(repeated, again))
    assert auc_roc(fraud, scores, weights) == pytest.approx(roc_auc_score(fraud, scores, sample_weight=weights))


def test_recall_takes_events_of_one_score_together_or_not_at_all() -> None:
    fraud = np.array([True, True, False, *[False] * 99])
    scores = np.array([0.9, 0.8, 0.8, *[0.1] * 99])
    assert recall_at_fpr(fraud, scores) == 1.0  # one of a hundred honest events is 1 %
    assert recall_at_fpr(fraud, scores, at_fpr=0.009) == 0.5
    assert recall_at_fpr(fraud, np.ones(102)) == 0.0


def test_card_precision_counts_cards_and_blocks_those_that_were_found() -> None:
    payments = [  # card, day, score, fraud
        ("a", 0, 0.9, True),
        ("a", 0, 0.1, True),
        ("b", 0, 0.8, False),
        ("c", 0, 0.2, True),
        ("a", 1, 0.9, True),  # found yesterday
        ("b", 1, 0.7, False),
        ("c", 1, 0.6, True),
    ]
    cards, days, scores, fraud = (np.array(column) for column in zip(*payments, strict=True))
    found = card_precision(fraud, scores, cards, days * DAY_MS, top=2)
    assert found == pytest.approx((1 / 2 + 1 / 2) / 2)


def test_money_is_fraud_let_through_and_reviews_and_the_margin_of_good_events_declined() -> None:
    events = [  # fraud, outcome, amount
        (True, "approve", 1_000),
        (True, "review", 20_000),
        (True, "decline", 300_000),
        (False, "approve", 4_000_000),
        (False, "review", 50_000_000),
        (False, "decline", 630),
        (False, "decline", 71),
    ]
    fraud, outcomes, amounts = (np.array(column) for column in zip(*events, strict=True))
    cost = money(fraud, outcomes, amounts, review_cost=7, margin=0.1)
    assert cost == Cost(fraud=1_000, reviews=14, declines=70)  # 63 and 7.1
    assert cost.total == 1_084
    nothing_done = money(fraud, np.full(7, "approve"), amounts, review_cost=7, margin=0.1)
    assert nothing_done == Cost(fraud=321_000, reviews=0, declines=0)
