import pytest

from fraudbrain_shared.features import fold_hash
from tests.unit.scenario.small import SMALL, changed, parse

MORE = """\
[profile.more]
on = "login"
read = ["count"]
window = "2h"
hop = "5m"
[profile.failures]
"""
HASH = fold_hash(parse(SMALL))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('read = ["count", "sum", "mean", "last"]', 'read = ["last", "mean", "sum", "count"]'),
        ('twice = "derived.ratio * 2.0"', 'twice = "derived.ratio * 3.0"'),
        ("[profile.failures]", "[profile.refusals]"),
    ],
)
def test_profiles_that_are_folded_alike_have_one_hash(old: str, new: str) -> None:
    assert fold_hash(parse(changed("features.toml", old, new))) == HASH


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('window = "1d"', 'window = "2d"'),
        ('read = ["count", "sum", "mean", "last"]', 'read = ["count", "sum", "mean", "last", "max"]'),
        ('where = "!event.ok"', 'where = "event.ok"'),
        ("[profile.failures]", MORE),
    ],
)
def test_what_is_folded_or_kept_changes_the_hash(old: str, new: str) -> None:
    assert fold_hash(parse(changed("features.toml", old, new))) != HASH


def test_another_subject_changes_the_hash() -> None:
    other = {name: text.replace("card_id", "device") for name, text in SMALL.items()}
    assert fold_hash(parse(other)) != HASH
