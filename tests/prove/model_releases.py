"""Releases of random models: scored as XGBoost does, and tried with bytes and parts changed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fraudbrain_shared.models import ReleaseError, load_scorer, seal
from fraudbrain_shared.models.release import SCORE_TOLERANCE
from fraudbrain_shared.records import ModelRelease
from tests.unit.models.boosted import random_model
from tests.unit.models.mutations import KINDS, accepted, mutated_byte
from tests.unit.models.releases import release_of, with_categories

MODELS = 1_000
RELEASES = 20
BYTES_PER_RELEASE = 500
CHANGES_PER_RELEASE = 50


def prove(_: Path) -> dict[str, object]:
    """Ends with an error where a law is broken. Takes some minutes; nothing is kept between tries."""
    releases = [with_categories(seed) for seed in range(RELEASES)]
    return {
        "against_xgboost": against_xgboost(),
        "bytes_changed": bytes_changed(releases),
        "parts_changed": parts_changed(releases),
    }


def against_xgboost() -> dict[str, object]:
    """Random models of all kinds, each with all of the rows it was trained on."""
    rows, equal, largest = 0, 0, 0.0
    for seed in range(MODELS):
        model = random_model(seed)
        release = release_of(model)
        scores = load_scorer(seal(release), release.features).scores(model.rows.astype(np.float64))
        differences = np.abs(scores - model.scores)
        rows, equal, largest = (
            rows + len(scores),
            equal + int((differences == 0).sum()),
            max(largest, differences.max()),
        )
        assert largest <= SCORE_TOLERANCE, f"seed {seed}"
    return {"models": MODELS, "rows": rows, "rows_equal_in_every_bit": equal, "largest_difference": float(largest)}


def bytes_changed(releases: list[ModelRelease]) -> dict[str, int]:
    """One byte of the record changed, removed or added: all are to be refused."""
    chance, tried, taken = np.random.default_rng(1), 0, 0
    for release in releases:
        record = seal(release)
        for _ in range(BYTES_PER_RELEASE):
            tried, taken = tried + 1, taken + is_accepted(mutated_byte(record, chance), release)
    assert taken == 0
    return {"tried": tried, "accepted": taken}


def is_accepted(record: bytes, release: ModelRelease) -> bool:
    try:
        load_scorer(record, release.features)
    except ReleaseError:
        return False
    return True


def parts_changed(releases: list[ModelRelease]) -> dict[str, object]:
    """A part changed and the hash made anew. What is accepted scores all golden rows as before and was tried with
    rows as they never were; an index that leaves its array, or any error but a refusal, would end this."""
    by_kind = {kind: dict(zip(("tried", "accepted"), counts, strict=True)) for kind, counts in _tries(releases)}
    tried, taken = (sum(counts[each] for counts in by_kind.values()) for each in ("tried", "accepted"))
    return {"tried": tried, "refused": tried - taken, "accepted": taken, "by_kind": by_kind}


def _tries(releases: list[ModelRelease]) -> Iterator[tuple[str, tuple[int, int]]]:
    chance = np.random.default_rng(2)
    for kind in KINDS:
        taken = [
            accepted(release, kind, (*release.features, "unused"), chance)
            for release in releases
            for _ in range(CHANGES_PER_RELEASE)
        ]
        yield kind, (len(taken), sum(taken))
