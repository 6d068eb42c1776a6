"""A release that is ready to score decisions."""

from collections.abc import Sequence
from operator import itemgetter
from struct import Struct
from typing import Final

import numpy as np

from fraudbrain_shared.models.forest import Forest
from fraudbrain_shared.models.release import open_forest
from fraudbrain_shared.records import ModelRelease

_MISSING: Final = float("nan")


class Scorer:
    """Scores logged feature vectors with one release. For one thread: it writes into a row of its own."""

    def __init__(self, release: ModelRelease, forest: Forest, feature_names: Sequence[str]) -> None:
        self.release: Final = release
        self._forest = forest
        places = [feature_names.index(name) for name in release.features]
        self._pick = itemgetter(*places) if len(places) > 1 else lambda features: (features[places[0]],)
        self._row = np.empty(len(places), np.float64)
        self._cells = self._row.data
        self._fill = Struct(f"{len(places)}d").pack_into  # several times faster than numpy's own assignment

    @property
    def version(self) -> str:
        return self.release.version

    def score(self, features: Sequence[float | None]) -> float:
        """The probability of fraud, given the values of all features in the order in which they are logged.

        None is missing, and so is a value that float32 cannot hold.
        """
        values = self._pick(features)
        if None in values:
            values = [_MISSING if value is None else value for value in values]
        self._fill(self._cells, 0, *values)
        return self._forest.score(self._row)


def load_scorer(record: bytes, feature_names: Sequence[str]) -> Scorer:
    """The scorer of a record of the topic `models`, warmed up on its golden rows.

    `feature_names` are those of the vectors it will score. Raises ReleaseError with all reasons.
    """
    release, forest = open_forest(record, feature_names)
    return Scorer(release, forest, feature_names)
