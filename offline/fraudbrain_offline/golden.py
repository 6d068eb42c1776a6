"""Golden rows: between them they reach every leaf that any row can reach, so that their scores pin a model down."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudbrain_offline.dataset import Matrix
from fraudbrain_shared.models.forest import Forest, lay_out
from fraudbrain_shared.models.paths import Paths
from fraudbrain_shared.records import ModelRelease

_CHUNK: Final = 10_000


class Golden(NamedTuple):
    """The rows, in the order of the release's features, and how many of the `leaves` they do not reach.

    No row at all can reach the `unreachable` ones: two thresholds on their way contradict each other.
    """

    rows: Matrix
    leaves: int
    unreachable: int
    left_out: int


def golden_rows(draft: ModelRelease, rows: Matrix, *, limit: int) -> Golden:
    """At most `limit` rows for a release that has none yet: rows of the training data, then made-up ones.

    Training rows are chosen greedily. Leaves that few rows reach come first, each by the first row that
    does: what is common is reached by the way. For a leaf that none reaches a row is made of one that was
    chosen and the values that lead there. Categories stand in rows as codes.
    """
    forest = Forest(lay_out(draft, draft.features))
    leaf = np.array(draft.trees.feature) < 0
    first, counts = _reached(forest, rows, len(leaf))
    covered = ~leaf
    chosen: list[npt.NDArray[np.float32]] = []

    def choose(row: npt.NDArray[np.float32]) -> None:
        chosen.append(row)
        covered[forest.leaves(row.reshape(1, -1).astype(np.float64))] = True

    for at in np.argsort(counts, kind="stable"):
        if counts[at] and not covered[at] and len(chosen) < limit:
            choose(rows[first[at]])
    unreachable = 0
    paths = Paths(draft)
    blank = np.full(len(draft.features), np.nan, np.float32)
    for at in np.flatnonzero(~covered).tolist():
        values = paths.values_to(at)
        if values is None:
            unreachable += 1
        elif not covered[at] and len(chosen) < limit:
            row = (chosen[at % len(chosen)] if chosen else blank).copy()
            for feature, value in values.items():
                row[feature] = np.nan if value is None else value
            choose(row)
    return Golden(np.array(chosen, np.float32), int(leaf.sum()), unreachable, int((~covered).sum()) - unreachable)


def _reached(forest: Forest, rows: Matrix, nodes: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """By node, the first row that reaches it, and how many do."""
    first, counts = np.full(nodes, len(rows)), np.zeros(nodes, np.int64)
    for begin, chunk in _chunks(rows):
        leaves = forest.leaves(chunk.astype(np.float64))
        counts += np.bincount(leaves.ravel(), minlength=nodes)
        there, at = np.unique(leaves, return_index=True)
        first[there] = np.minimum(first[there], begin + at // leaves.shape[1])
    return first, counts


def _chunks(rows: Matrix) -> Iterator[tuple[int, Matrix]]:
    for begin in range(0, len(rows), _CHUNK):
        yield begin, rows[begin : begin + _CHUNK]
