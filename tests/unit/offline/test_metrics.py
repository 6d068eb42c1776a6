"""The measures against scikit-learn, and card precision against a day worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from fraudbrain_offline.metrics import DAY_MS, auc_roc, average_precision, card_precision


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [1, 8])  # one digit: many ties
def test_auc_and_average_precision_are_those_of_scikit_learn(seed: int, digits: int) -> None:
    chance = np.random.default_rng(seed)
    fraud = chance.random(500) < 0.1
    scores = np.round(chance.random(500) * 0.7 + fraud * 0.3, digits)
    assert auc_roc(fraud, scores) == pytest.approx(roc_auc_score(fraud, scores))
    assert average_precision(fraud, scores) == pytest.approx(average_precision_score(fraud, scores))


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
