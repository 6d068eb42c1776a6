"""Releases of random models, made as the offline tier makes them."""

from typing import Any

import msgspec

from fraudbrain_offline.release import release_of as released
from fraudbrain_shared.models import seal
from fraudbrain_shared.records import ModelRelease
from tests.unit.models.boosted import Boosted, boosted, random_model


def release_of(model: Boosted, **changes: Any) -> ModelRelease:
    return msgspec.structs.replace(released(model.booster, model.rows), **{"version": "1"} | changes)


def small_record(seed: int = 1) -> bytes:
    return seal(release_of(boosted(seed, rounds=3, rows=300, max_depth=3)))


def with_categories(seed: int, *, rows: int = 300) -> ModelRelease:
    """A small release whose trees ask for numbers and for categories; one feature's are texts."""
    for attempt in range(1_000):
        model = random_model(1_000 * seed + attempt, rows=rows, max_depth=3, max_leaves=8)
        release = release_of(model)
        asked = {release.features[release.trees.feature[node]] for node in release.trees.category_nodes}
        if asked and 3 <= len(release.trees.roots) <= 10:
            break
    name = min(asked)
    texts = tuple(f"of kind {value}" for value in release.categories[name])
    at = release.features.index(name)
    golden = tuple(
        (*row[:at], None if row[at] is None else texts[int(row[at] or 0)], *row[at + 1 :]) for row in release.golden
    )
    return msgspec.structs.replace(release, golden=golden, categories=release.categories | {name: texts})
