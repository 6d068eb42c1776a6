"""A release that is ready to score decisions."""

from collections.abc import Sequence
from math import fsum
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from fraudbrain_shared.models.forest import Forest, Layout, Rows, lay_out
from fraudbrain_shared.records import ModelRelease

Value: TypeAlias = float | str | None
"""What a feature may be: a number, a category, or missing."""


class Contributions(NamedTuple):
    """What made a score what it is, in log-odds: `bias` and all of `by_feature` add up to the margin.

    The score is 1 / (1 + exp(−margin)); a feature above 0 spoke for fraud.
    """

    bias: float
    by_feature: dict[str, float]

    @property
    def margin(self) -> float:
        return fsum((self.bias, *self.by_feature.values()))


class Scorer:
    """Scores logged feature vectors with one release. For one thread: it writes into a row of its own.

    `feature_names` say what stands in the vectors, in order. `layout` is that of the release's trees, if somebody has
    made it already: then the release need not have any.
    """

    def __init__(self, release: ModelRelease, feature_names: Sequence[str], layout: Layout | None = None) -> None:
        self.release: Final = release
        self._forest = Forest(layout or lay_out(release, feature_names))
        self._score_row = self._forest.score
        self._row: Any = np.empty(len(feature_names), np.float64)
        self._places = [feature_names.index(name) for name in release.features]
        self._codes: list[tuple[int, dict[Any, int]]] = [
            (feature_names.index(name), {value: code for code, value in enumerate(values)})
            for name, values in release.categories.items()
        ]

    @property
    def version(self) -> str:
        return self.release.version

    @property
    def layout(self) -> Layout:
        """Its trees as the kernel walks them."""
        return self._forest.layout

    def score(self, features: Sequence[Value]) -> float:
        """The probability of fraud, given the values of all features in the order in which they are logged.

        None is missing, and so are a value that float32 cannot hold and a category that the release does not have.
        """
        self._row[:] = self._coded(features) if self._codes else features  # numpy makes NaN of None, and is quick
        return self._score_row(self._row)

    def scores(self, rows: Rows) -> npt.NDArray[np.float32]:
        """The probabilities of many vectors, one below the other, NaN where a value is missing.

        A category stands there as its code, its place in the release's list.
        """
        return self._forest.scores(self._known_codes(rows))

    def contributions(self, features: Sequence[Value]) -> Contributions:
        """How much each of the release's features moved the score of a vector.

        Each split on the way to a leaf is given what it changes in the mean of the training data that would
        follow. That is fast and approximate: what features do only together goes to the one that was asked last.
        Takes some ten times as long as the score. Source: Saabas, Interpreting random forests (2014); XGBoost
        computes the same as `pred_contribs` with `approx_contribs`.
        """
        self._row[:] = self._coded(features)
        margin, by_column = self._forest.attribute(self._row)
        by_feature = {
            name: float(by_column[place]) for name, place in zip(self.release.features, self._places, strict=True)
        }
        return Contributions(margin - fsum(by_feature.values()), by_feature)

    def spread(self, row: Sequence[Value]) -> list[Value]:
        """A row of the release's features as a vector in the order in which features are logged."""
        features: list[Value] = [None] * len(self._row)
        for place, value in zip(self._places, row, strict=True):
            features[place] = value
        return features

    def leaves(self, vectors: Sequence[Sequence[Value]]) -> npt.NDArray[np.int64]:
        """The leaf that each vector reaches in each tree, as an index into the release's nodes: vectors × trees."""
        rows = np.array([self._coded(features) for features in vectors], np.float64)
        return self._forest.leaves(rows)

    def _coded(self, features: Sequence[Value]) -> Sequence[Value]:
        """The vector with the codes of categories; what the release does not have is missing."""
        coded = list(features)
        for place, codes in self._codes:
            coded[place] = codes.get(coded[place])
        return coded

    def _known_codes(self, rows: Rows) -> Rows:
        """The rows without codes that the release does not have."""
        if not self._codes:
            return rows
        known = np.array(rows, np.float64)
        for place, codes in self._codes:
            column = known[:, place]
            column[~((column >= 0) & (column < len(codes)) & (column == np.floor(column)))] = np.nan
        return known
