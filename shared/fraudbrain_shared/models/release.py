"""A release as bytes: sealed with a hash by who makes it, opened by who uses it, checked whole before it is believed.

Nothing here can crash a process: the bytes are JSON, and the kernel runs only over arrays that were checked.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from fraudbrain_shared.models.forest import Forest, as_row
from fraudbrain_shared.models.structure import structural_faults
from fraudbrain_shared.records import ModelRelease

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


def open_release(record: bytes, known: Sequence[str]) -> ModelRelease:
    """The release in a record, if it is whole and sound and scores as the model it was made from.

    `known` are the features that there are. Raises ReleaseError with every reason that was found.
    """
    return open_forest(record, known)[0]


def open_forest(record: bytes, known: Sequence[str]) -> tuple[ModelRelease, Forest]:
    """The same, with the trees as they were scored. Raises ReleaseError."""
    if fault := _seal_fault(record):
        raise ReleaseError("", [fault])
    try:
        release = msgspec.json.decode(record, type=ModelRelease)
    except msgspec.MsgspecError as error:
        raise ReleaseError("", [f"not a model release: {error}"]) from None
    if faults := list(structural_faults(release, known)):
        raise ReleaseError(release.version, faults)
    forest = Forest(release.trees, release.base_margin)
    if faults := list(_golden_faults(release, forest)):
        raise ReleaseError(release.version, faults)
    return release, forest


def _seal_fault(record: bytes) -> str | None:
    seals = _SEAL.findall(record)
    if len(seals) != 1:
        return "not sealed: it carries no sha256"
    if sha256(_SEAL.sub(_NO_SEAL, record)).hexdigest() != seals[0].decode():
        return "its bytes do not have the sha256 that it carries"
    return None


def _golden_faults(release: ModelRelease, forest: Forest) -> Iterator[str]:
    rows = [as_row(row) for row in release.golden]
    wrong = [
        place
        for place, (row, expected) in enumerate(zip(rows, release.golden_scores, strict=True))
        if not abs(forest.score(row) - expected) <= SCORE_TOLERANCE
    ]
    if wrong:
        yield f"{len(wrong)} of {len(rows)} golden rows score otherwise, the first is row {wrong[0]}"
    if (coverage := forest.leaf_coverage(rows)) < LEAST_LEAF_COVERAGE:
        yield f"the golden rows visit {coverage:.0%} of the leaves, not {LEAST_LEAF_COVERAGE:.0%}"
