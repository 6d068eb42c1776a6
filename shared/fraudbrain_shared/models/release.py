"""A release as bytes: sealed with a hash by who makes it, opened by who uses it, checked whole before it is believed.

Nothing here can crash a process: the bytes are JSON, and the kernel runs only over arrays that were checked.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from fraudbrain_shared.models.paths import Paths
from fraudbrain_shared.models.scorer import Scorer
from fraudbrain_shared.models.structure import LEAF, structural_faults
from fraudbrain_shared.records import MODEL_FORMAT, ModelRelease
from fraudbrain_shared.scenario.description import Parameter
from fraudbrain_shared.topics import MODEL_RECORD_BYTES

# DESIGN's bound on the difference from XGBoost, which sums and rounds in another order on other machines.
SCORE_TOLERANCE: Final = 1e-6
LEAST_LEAF_COVERAGE: Final = 0.95

_SEAL: Final = re.compile(rb'"sha256":"([0-9a-f]{64})"')
_NO_SEAL: Final = b'"sha256":""'


class ReleaseError(Exception):
    """A release that must not be used; its text gives all reasons."""

    def __init__(self, version: str, reasons: Sequence[str]) -> None:
        self.reasons: Final = tuple(reasons)
        super().__init__(f"model {version or 'of unknown version'} refused: {'; '.join(reasons)}")


def seal(release: ModelRelease) -> bytes:
    """The release's record, with the hash of its own bytes in `sha256`."""
    unsealed = msgspec.json.encode(msgspec.structs.replace(release, sha256=""))
    seal = f'"sha256":"{sha256(unsealed).hexdigest()}"'
    return unsealed.replace(_NO_SEAL, seal.encode(), 1)  # quotes in texts are escaped: it stands there once


def load_scorer(
    record: bytes, feature_names: Sequence[str], parameters: Mapping[str, Parameter] | None = None
) -> Scorer:
    """The scorer of a record of the topic `models`, if its release is whole and sound and scores as the model it
    was made from.

    `feature_names` are those of the vectors it will score, `parameters` the scenario's: their bounds hold for
    starting values. Raises ReleaseError with every reason that was found.
    """
    if len(record) > MODEL_RECORD_BYTES:
        raise ReleaseError("", [f"{len(record):,} bytes; {MODEL_RECORD_BYTES:,} are possible"])
    if fault := _seal_fault(record):
        raise ReleaseError("", [fault])
    release = _decoded(record)
    if faults := list(structural_faults(release, feature_names, parameters)):
        raise ReleaseError(release.version, faults)
    scorer = Scorer(release, feature_names)
    if faults := list(_golden_faults(scorer)):
        raise ReleaseError(release.version, faults)
    return scorer


def open_release(
    record: bytes, known: Sequence[str], parameters: Mapping[str, Parameter] | None = None
) -> ModelRelease:
    """The release in a record, checked in the same way. Raises ReleaseError."""
    return load_scorer(record, known, parameters).release


def _seal_fault(record: bytes) -> str | None:
    seals = _SEAL.findall(record)
    if len(seals) != 1:
        return "not sealed: it carries no sha256"
    if sha256(_SEAL.sub(_NO_SEAL, record)).hexdigest() != seals[0].decode():
        return "its bytes do not have the sha256 that it carries"
    return None


class _Head(msgspec.Struct, frozen=True):
    """What must be known before the rest can be understood."""

    version: str = ""
    format: int = 1


def _decoded(record: bytes) -> ModelRelease:
    try:
        head = msgspec.json.decode(record, type=_Head)
        if not 1 <= head.format <= MODEL_FORMAT:
            fault = f"it has format {head.format}, of another build; this one reads 1 to {MODEL_FORMAT}"
            raise ReleaseError(head.version, [fault])
        return msgspec.json.decode(record, type=ModelRelease)
    except msgspec.MsgspecError as error:
        raise ReleaseError("", [f"not a model release: {error}"]) from None


def _golden_faults(scorer: Scorer) -> Iterator[str]:
    release = scorer.release
    vectors = [scorer.spread(row) for row in release.golden]
    wrong = [
        place
        for place, (vector, expected) in enumerate(zip(vectors, release.golden_scores, strict=True))
        if not abs(scorer.score(vector) - expected) <= SCORE_TOLERANCE
    ]
    if wrong:
        yield f"{len(wrong)} of {len(vectors)} golden rows score otherwise, the first is row {wrong[0]}"
    if (coverage := _coverage(release, scorer.leaves(vectors))) < LEAST_LEAF_COVERAGE:
        yield f"the golden rows visit {coverage:.0%} of the leaves, not {LEAST_LEAF_COVERAGE:.0%}"


def _coverage(release: ModelRelease, reached: npt.NDArray[np.int64]) -> float:
    """The share of the leaves that any row can reach that are among those that were reached."""
    leaves = np.array(release.trees.feature) == LEAF
    missed = leaves.copy()
    missed[reached] = False
    visited = int(leaves.sum() - missed.sum())
    if visited >= LEAST_LEAF_COVERAGE * leaves.sum():
        return visited / float(leaves.sum())  # as good as it need be, without a look at the others' paths
    paths = Paths(release)
    return visited / (visited + sum(paths.values_to(leaf) is not None for leaf in np.flatnonzero(missed).tolist()))
