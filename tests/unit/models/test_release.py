"""A release is believed only if it is whole, sound, and scores as the model it was made from."""

from typing import Any

import msgspec
import numpy as np
import pytest

from fraudbrain_shared.models import ReleaseError, load_scorer, open_release, seal
from fraudbrain_shared.records import ModelRelease, Trees
from tests.unit.models.boosted import FEATURES, boosted
from tests.unit.models.releases import mutated, release_of, small_record

SMALL = release_of(boosted(1, rounds=3, rows=300, max_depth=3))


def reasons(release: ModelRelease, known: tuple[str, ...] = FEATURES) -> tuple[str, ...]:
    with pytest.raises(ReleaseError) as raised:
        open_release(seal(release), known)
    return raised.value.reasons


def with_trees(**changes: Any) -> ModelRelease:
    return msgspec.structs.replace(SMALL, trees=msgspec.structs.replace(SMALL.trees, **changes))


def put(values: tuple[Any, ...], at: int, value: Any) -> tuple[Any, ...]:
    return (*values[:at], value, *values[at + 1 :])


def test_a_sealed_release_comes_back_as_it_was() -> None:
    opened = open_release(seal(SMALL), FEATURES)
    assert msgspec.structs.replace(opened, sha256="") == SMALL
    assert len(opened.sha256) == 64


def test_none_of_a_thousand_byte_mutations_is_accepted() -> None:
    record, chance = small_record(), np.random.default_rng(7)
    for _ in range(1_000):
        with pytest.raises(ReleaseError):
            open_release(mutated(record, chance), FEATURES)


def test_no_structural_mutation_crashes_and_none_that_changes_a_golden_score_is_accepted() -> None:
    chance, accepted = np.random.default_rng(8), 0
    for _ in range(1_500):
        release = mutated_structure(chance)
        try:
            scorer = load_scorer(seal(release), FEATURES)
        except ReleaseError:
            continue
        accepted += 1
        for row, score in zip(SMALL.golden, SMALL.golden_scores, strict=True):
            assert scorer.score(row) == pytest.approx(score, abs=1e-6)
    assert accepted < 500  # those that move a threshold where no golden row stands, and the like


def mutated_structure(chance: np.random.Generator) -> ModelRelease:
    """The release with one entry of one array changed, to something near or far."""
    name = str(chance.choice(Trees.__struct_fields__))
    values = getattr(SMALL.trees, name)
    at = int(chance.integers(len(values)))
    match values[at]:
        case bool(flag):
            new: Any = not flag
        case float(number):
            new = number + float(chance.normal() * 10.0 ** chance.integers(-6, 40))
        case _:
            new = int(chance.choice([-(2**40), -2, -1, 0, 1, at, at + 1, len(SMALL.trees.feature), 2**40]))
    return with_trees(**{name: put(values, at, new)})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"roots": ()}, "0 trees"),
        ({"roots": (0, 99_999)}, "a root is no node"),
        ({"value": SMALL.trees.value[:-1]}, "the arrays of nodes differ in length"),
        ({"feature": put(SMALL.trees.feature, 0, 5)}, "a node reads a feature that the release does not have"),
        ({"left": put(SMALL.trees.left, 0, 0)}, "a child does not stand after its parent"),
        ({"right": put(SMALL.trees.right, 0, 10**30)}, "a child does not stand after its parent"),
        ({"right": put(SMALL.trees.right, 0, SMALL.trees.left[0])}, "a node has no parent, or more than one"),
        ({"left": put(SMALL.trees.left, SMALL.trees.feature.index(-1), 3)}, "a leaf has children"),
        ({"value": put(SMALL.trees.value, 0, 1e39)}, "a threshold, contribution or base margin is no finite float32"),
    ],
)
def test_what_cannot_be_walked_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert any(each.startswith(reason) for each in reasons(with_trees(**changes)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"golden": ()}, "0 golden rows"),
        ({"golden_scores": (2.0,) * len(SMALL.golden)}, "a golden score is no probability"),
        ({"golden": put(SMALL.golden, 0, (None,))}, "a golden row has not one value for each feature"),
        ({"golden": SMALL.golden[:1], "golden_scores": SMALL.golden_scores[:1]}, "the golden rows visit"),
        ({"golden_scores": put(SMALL.golden_scores, 0, SMALL.golden_scores[0] + 2e-6)}, "1 of "),
        ({"base_margin": 0.5}, f"{len(SMALL.golden)} of {len(SMALL.golden)} golden rows score otherwise"),
        ({"features": (*FEATURES[:-1], "unheard_of")}, "unknown features: unheard_of"),
        ({"features": (*FEATURES[:-1], FEATURES[0])}, f"feature {FEATURES[0]} stands there twice"),
    ],
)
def test_what_does_not_hold_together_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert any(each.startswith(reason) for each in reasons(msgspec.structs.replace(SMALL, **changes)))


def test_all_reasons_are_given_at_once() -> None:
    broken = msgspec.structs.replace(with_trees(roots=(-1,)), golden=(), features=(*FEATURES[:-1], "unheard_of"))
    assert len(reasons(broken)) >= 3


@pytest.mark.parametrize("record", [b"", b"{}", b"null", b"[" * 100_000, b'{"sha256":""}', b"\xff" * 100])
def test_what_is_no_release_is_refused(record: bytes) -> None:
    with pytest.raises(ReleaseError):
        load_scorer(record, FEATURES)


class Later(ModelRelease, frozen=True):
    novelty: int = 7


def test_a_release_of_a_later_build_with_one_more_field_is_still_whole() -> None:
    later = Later(**msgspec.structs.asdict(SMALL))
    assert open_release(seal(later), FEATURES).version == "1"
