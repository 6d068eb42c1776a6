"""A release is believed only if it is whole, sound, and scores as the model it was made from."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from fraudbrain_shared.models import ReleaseError, kernel, load_scorer, open_release, seal
from fraudbrain_shared.models.structure import MAX_DEPTH
from fraudbrain_shared.records import MODEL_FORMAT, Histogram, ModelRelease
from fraudbrain_shared.scenario.description import Parameter
from tests.unit.models import naive
from tests.unit.models.boosted import FEATURES, boosted
from tests.unit.models.mutations import KINDS, accepted, mutated_byte
from tests.unit.models.releases import release_of, small_record, with_categories

SMALL = release_of(boosted(1, rounds=3, rows=300, max_depth=3))
RELEASES = [with_categories(seed) for seed in range(2)]
WITH_CATEGORIES = RELEASES[0]


def reasons(release: ModelRelease, known: tuple[str, ...] = FEATURES) -> tuple[str, ...]:
    with pytest.raises(ReleaseError) as raised:
        open_release(seal(release), known)
    return raised.value.reasons


def with_trees(**changes: Any) -> ModelRelease:
    return msgspec.structs.replace(SMALL, trees=msgspec.structs.replace(SMALL.trees, **changes))


def with_categories_changed(**changes: Any) -> ModelRelease:
    return msgspec.structs.replace(WITH_CATEGORIES, trees=msgspec.structs.replace(WITH_CATEGORIES.trees, **changes))


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
            open_release(mutated_byte(record, chance), FEATURES)


def test_a_kernel_run_by_python_notices_an_index_that_leaves_its_array() -> None:
    forest = load_scorer(seal(SMALL), FEATURES)._forest
    forest._arrays[0]["left"] += 1_000
    with pytest.raises(IndexError):
        kernel.INTERPRETED.score(*forest._arrays, np.zeros(len(FEATURES)))


@pytest.mark.parametrize("kind", KINDS)
def test_no_structural_mutation_crashes_and_none_that_changes_a_golden_score_is_accepted(kind: str) -> None:
    chance = np.random.default_rng(8)
    for release in RELEASES:
        for _ in range(10):
            accepted(release, kind, (*release.features, "unused"), chance)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"roots": ()}, "0 trees"),
        ({"roots": (0, 99_999)}, "a root is no node"),
        ({"value": SMALL.trees.value[:-1]}, "the arrays of nodes differ in length"),
        ({"feature": put(SMALL.trees.feature, 0, 5)}, "a node reads a feature that the release does not have"),
        ({"left": put(SMALL.trees.left, 0, 0)}, "a child does not stand after its parent"),
        ({"right": put(SMALL.trees.right, 0, 10**30)}, "an index is larger than any index can be"),
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
        ({"starting_values": {"a": 1e999}}, "not a model release"),
        ({"histograms": {}}, "features without a histogram: spend_1d_count"),
        ({"histograms": {**SMALL.histograms, "a": Histogram((), (1,))}}, "histograms of features that the release"),
        ({"histograms": {**SMALL.histograms, "amount": Histogram((2.0, 1.0), (1, 1, 1))}}, "histograms whose edges"),
        ({"score_histogram": None}, "there is no histogram of the score"),
        ({"categories": {"a": (1,)}}, "categories of features that the release does not have: a"),
        ({"categories": {"amount": ()}}, "amount has 0 categories"),
    ],
)
def test_what_does_not_hold_together_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert any(each.startswith(reason) for each in reasons(msgspec.structs.replace(SMALL, **changes)))


SETS = WITH_CATEGORIES.trees.category_sets


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"category_sets": SETS[1:]}, "category nodes and their sets differ in number"),
        ({"category_nodes": WITH_CATEGORIES.trees.category_nodes[::-1]}, "the category nodes are not those"),
        ({"category_sets": put(SETS, 0, (1, 0))}, "the set of a category node holds a code"),
        ({"category_sets": put(SETS, 0, (-1,))}, "the set of a category node holds a code"),
        ({"category_sets": put(SETS, 0, (65_536,))}, "the set of a category node holds a code"),
        ({"cover": (-1.0, *WITH_CATEGORIES.trees.cover[1:])}, "a cover is below 0 or not finite"),
        ({"cover": (1.0,)}, "the arrays of nodes differ in length"),
    ],
)
def test_sets_and_covers_that_do_not_fit_are_refused_with_their_reason(changes: dict[str, Any], reason: str) -> None:
    release = with_categories_changed(**changes)
    assert any(each.startswith(reason) for each in reasons(release, WITH_CATEGORIES.features))


def test_a_chain_of_nodes_that_would_take_a_level_each_is_refused() -> None:
    inner = MAX_DEPTH + 1
    chain = msgspec.structs.replace(
        SMALL.trees,
        roots=(0,),
        feature=(*[0, -1] * inner, -1),
        value=(0.0,) * (2 * inner + 1),
        left=(*[index for at in range(inner) for index in (2 * at + 1, -1)], -1),
        right=(*[index for at in range(inner) for index in (2 * at + 2, -1)], -1),
        missing_left=(True,) * (2 * inner + 1),
        cover=(),
    )
    assert f"a tree is more than {MAX_DEPTH} levels deep" in reasons(msgspec.structs.replace(SMALL, trees=chain))


def test_a_feature_that_is_logged_under_one_name_with_another_is_refused() -> None:
    assert reasons(SMALL, (*FEATURES, "amount")) == ("features that decisions log under one name with others: amount",)


def test_a_starting_value_outside_of_the_bounds_that_the_scenario_sets_is_refused() -> None:
    record = seal(msgspec.structs.replace(SMALL, starting_values={"review_score": 0.5, "of_another_scenario": 7.0}))
    bounds = {"review_score": Parameter("review_score", "double", 0.5, 0.1, 0.4, scale="score")}
    assert open_release(record, FEATURES).starting_values["review_score"] == 0.5
    with pytest.raises(ReleaseError, match=r"the starting value 0\.5 of review_score is outside of 0\.1 to 0\.4"):
        open_release(record, FEATURES, bounds)


def test_a_release_larger_than_a_record_of_the_topic_is_refused_unread() -> None:
    with pytest.raises(ReleaseError, match="8,388,608 are possible"):
        open_release(b"x" * 8_388_609, FEATURES)


def test_leaves_that_no_row_can_reach_need_no_golden_row() -> None:
    trees = msgspec.structs.replace(
        SMALL.trees,
        roots=(0,),
        feature=(0, 0, -1, -1, -1),
        value=(1.0, 2.0, 0.5, -0.5, 0.25),
        left=(1, 3, -1, -1, -1),
        right=(2, 4, -1, -1, -1),
        missing_left=(False,) * 5,
        cover=(),
    )  # below 1 and at 2 or above: nothing
    rows: dict[str, Any] = {"golden": ((0.0, *[None] * 4), (1.0, *[None] * 4))}
    release = msgspec.structs.replace(SMALL, trees=trees, base_margin=0.0, **rows)
    scores = tuple(naive.score(release, row) for row in release.golden)
    open_release(seal(msgspec.structs.replace(release, golden_scores=scores)), FEATURES)
    half = msgspec.structs.replace(release, golden=release.golden[:1], golden_scores=scores[:1])
    assert reasons(half) == ("the golden rows visit 50% of the leaves, not 95%",)


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


def test_a_release_of_the_first_format_is_still_used() -> None:
    record = (Path(__file__).parent / "samples" / "release-format-1.json").read_bytes()
    scorer = load_scorer(record, FEATURES)
    assert (scorer.release.format, scorer.release.categories) == (1, {})
    assert scorer.contributions([None] * len(FEATURES)).by_feature.keys() == set(FEATURES)


def test_a_release_of_an_unknown_format_is_refused_whatever_else_it_says() -> None:
    record = seal(msgspec.structs.replace(SMALL, format=MODEL_FORMAT + 1)).replace(b'"trees":{', b'"trees":[1,{', 1)
    record = resealed(record.replace(b'},"golden"', b'}],"golden"', 1))
    with pytest.raises(ReleaseError, match="model 1 refused: it has format 3, of another build; this one reads 1 to 2"):
        open_release(record, FEATURES)


def resealed(record: bytes) -> bytes:
    at = record.index(b'"sha256":"') + len(b'"sha256":"')
    bare = record[:at] + record[at + 64 :]
    return record[:at] + sha256(bare).hexdigest().encode() + record[at + 64 :]
