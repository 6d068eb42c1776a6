from dataclasses import replace

from fraudbrain_shared.features import fold_hash
from fraudbrain_shared.scenario import load_scenario
from tests.parity.features.history import EMPTY, FIVE_MINUTES, MINUTE, with_feature

SPEND = with_feature(EMPTY, "spend", MINUTE, ("sum",), value="event.amount")
HASH = fold_hash(SPEND)


def test_profiles_folded_alike_have_one_hash_whatever_features_are_called() -> None:
    assert fold_hash(with_feature(EMPTY, "paid", MINUTE, ("sum",), value="event.amount")) == HASH
    both = with_feature(SPEND, "recent", FIVE_MINUTES, ("count",))
    other = with_feature(
        with_feature(EMPTY, "recent", FIVE_MINUTES, ("count",)), "spend", MINUTE, ("sum",), value="event.amount"
    )
    assert fold_hash(both) == fold_hash(other)


def test_what_is_folded_kept_or_whose_it_is_changes_the_hash() -> None:
    changed = [
        EMPTY,
        with_feature(EMPTY, "spend", FIVE_MINUTES, ("sum",), value="event.amount"),
        with_feature(EMPTY, "spend", MINUTE, ("sum", "max"), value="event.amount"),
        with_feature(SPEND, "recent", FIVE_MINUTES, ("count",)),
        replace(SPEND, subject="another"),
    ]
    assert len({HASH, *map(fold_hash, changed)}) == len(changed) + 1


def test_rules_and_parameters_are_no_folds() -> None:
    cards = load_scenario("cards")
    assert fold_hash(replace(cards, rules=(), parameters={})) == fold_hash(cards)
