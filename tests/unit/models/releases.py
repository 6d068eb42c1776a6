"""Releases of random models, made as the offline tier makes them."""

from typing import Any

import msgspec
import numpy as np

from fraudbrain_offline.golden import golden_rows
from fraudbrain_offline.release import golden_values
from fraudbrain_offline.training import as_matrix
from fraudbrain_offline.trees import flatten
from fraudbrain_shared.models import seal
from fraudbrain_shared.records import ModelRelease
from tests.unit.models.boosted import FEATURES, Boosted, boosted


def release_of(model: Boosted, **changes: Any) -> ModelRelease:
    flat = flatten(model.booster)
    golden = golden_rows(model.booster, flat, as_matrix(model.rows, FEATURES), limit=1_000)
    release = ModelRelease(
        version="1",
        features=FEATURES,
        base_margin=flat.base_margin,
        trees=flat.trees,
        golden=golden_values(model.rows[golden]),
        golden_scores=tuple(model.scores[golden].tolist()),
        sha256="",
    )
    return msgspec.structs.replace(release, **changes)


def small_record(seed: int = 1) -> bytes:
    return seal(release_of(boosted(seed, rounds=3, rows=300, max_depth=3)))


def mutated(record: bytes, chance: np.random.Generator) -> bytes:
    """The record with one byte changed, removed or added."""
    at, byte = int(chance.integers(len(record))), bytes([int(chance.integers(256))])
    match chance.integers(3):
        case 0:
            changed = record[:at] + byte + record[at + 1 :]
        case 1:
            changed = record[:at] + record[at + 1 :]
        case _:
            changed = record[:at] + byte + record[at:]
    return changed if changed != record else mutated(record, chance)
