"""Intervals are those of drawing whole cards, and a difference is measured on the same draws."""

import numpy as np
import numpy.typing as npt
import pytest

from fraudbrain_offline.intervals import Interval, difference_interval, drawn, interval, measure_interval
from fraudbrain_offline.metrics import average_precision
from fraudbrain_offline.threshold_sweep import Curve, Scores, Truth

Cards = npt.NDArray[np.str_]


def payments(seed: int, cards: int, *, each: int) -> tuple[Truth, Scores, Cards]:
    """Payments of cards of which a tenth is defrauded; all payments of a card are alike, apart from some noise."""
    chance = np.random.default_rng(seed)
    card = np.repeat(np.arange(cards), each)
    fraud = (chance.random(cards) < 0.1)[card]
    scores = 0.3 * fraud + chance.random(cards)[card] + 0.01 * chance.random(cards * each)
    return fraud, scores, np.char.add("card", card.astype(np.str_))


def test_a_card_that_is_drawn_twice_counts_twice_with_all_its_payments() -> None:
    """The obvious way: for each draw put the payments of the drawn cards one after the other, and measure."""
    fraud, scores, cards = payments(1, 60, each=5)
    names, chance, slow = np.unique(cards), np.random.default_rng(0), []
    for _ in range(50):
        chosen = names[chance.integers(len(names), size=len(names))]
        at = np.concatenate([np.flatnonzero(cards == name) for name in chosen])
        slow.append(average_precision(fraud[at], scores[at]))
    low, high = np.quantile(slow, (0.025, 0.975))
    found = measure_interval(Curve.average_precision, fraud, scores, cards, draws=50)
    assert found is not None
    assert [found.low, found.high] == pytest.approx([low, high])


def test_many_payments_of_few_cards_say_less_than_those_of_many_cards() -> None:
    def width(cards: int, each: int) -> float:
        found = measure_interval(Curve.auc_roc, *payments(2, cards, each=each))
        assert found is not None
        return found.high - found.low

    assert width(50, 40) > 2 * width(2_000, 1)


def test_a_difference_is_paired() -> None:
    """What makes a draw easy for both scorings falls out of the difference: half a step better shows though the
    intervals of the two overlap."""
    fraud, scores, cards = payments(3, 200, each=3)
    better = scores + 0.05 * fraud
    assert difference_interval(Curve.average_precision, fraud, scores, scores, cards) == Interval(0.0, 0.0)
    one, other = (measure_interval(Curve.average_precision, fraud, each, cards) for each in (better, scores))
    difference = difference_interval(Curve.average_precision, fraud, better, scores, cards)
    assert one is not None and other is not None and difference is not None
    assert one.low < other.high
    assert difference.low > 0


def test_equal_seeds_give_equal_draws() -> None:
    _, scores, cards = payments(4, 30, each=2)
    first, again = (drawn(cards, lambda weights: weights @ scores, draws=20) for _ in range(2))
    assert (first == again).all()
    assert (first != drawn(cards, lambda weights: weights @ scores, draws=20, seed=1)).any()


def test_draws_that_cannot_be_measured_are_left_out() -> None:
    assert interval(np.array([np.nan, 0.5, 0.5])) == Interval(0.5, 0.5)
    assert interval(np.array([np.nan])) is None
