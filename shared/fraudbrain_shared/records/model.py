"""A model release as it travels on the `models` topic: trees as flat arrays, nothing to execute."""

from typing import Final

import msgspec

MODEL_FORMAT: Final = 2
"""What this build writes into `ModelRelease.format`. It is raised when a release says something that a reader of
the earlier format would not know to be said: 1 had neither categories nor covers nor histograms."""

Category = str | int
"""A value of a feature that has categories: a text, or a whole number such as a merchant category code."""


class Trees(msgspec.Struct, frozen=True):
    """All trees of a model in flat arrays, node by node; children are indices into the same arrays.

    A node with `feature` −1 is a leaf and `value` its contribution; else `value` is the threshold: smaller
    goes left, missing goes left where `missing_left`. Node `category_nodes[i]` asks for a category instead:
    the codes in `category_sets[i]` go right, all others left. `roots` gives each tree's first node,
    children stand after their parents. Thresholds and contributions are float32 numbers.

    `cover` is how much of the training data reached each node (the sum of hessians); it may be left out.
    """

    roots: tuple[int, ...]
    feature: tuple[int, ...]
    value: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    missing_left: tuple[bool, ...]
    cover: tuple[float, ...] = ()
    category_nodes: tuple[int, ...] = ()
    category_sets: tuple[tuple[int, ...], ...] = ()


class Histogram(msgspec.Struct, frozen=True):
    """How values were spread: bin i counts those from `edges[i − 1]` on and below `edges[i]`.

    The first bin has no lower end and the last no upper one, so there is one bin more than edges. `missing`
    counts the values that were not there.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int = 0


class ModelRelease(msgspec.Struct, frozen=True):
    """A scored model under the key `champion` or `challenger`.

    `features` names the inputs in order, `base_margin` is where the sum of contributions starts, in
    log-odds. `golden` are rows of inputs and `golden_scores` what the trained model answered: whoever
    loads the release scores them again before using it. `sha256` is the hash of the record's own
    bytes with this field empty.

    `categories` are the values of the features that have categories: the code of a value is its place; any
    other value is missing. Rows hold the values, the trees the codes.

    `starting_values` are the parameters with `scale = "score"` until the slow tier has moved them.
    It was trained on `rows` labelled decisions, `frauds` of them frauds, of the feature set
    `feature_set` under the scenario `scenario`, with the labels known at `trained_as_of` (UTC ms);
    `metrics` is how it did on the last part of them. `histograms`, by feature, and `score_histogram` say how
    these decisions' values and scores were spread: what monitors compare with.
    """

    version: str
    features: tuple[str, ...]
    base_margin: float
    trees: Trees
    golden: tuple[tuple[float | str | None, ...], ...]
    golden_scores: tuple[float, ...]
    sha256: str
    starting_values: dict[str, float] = {}
    scenario: str = ""
    feature_set: str = ""
    trained_as_of: int = 0
    rows: int = 0
    frauds: int = 0
    metrics: dict[str, float] = {}
    format: int = 1
    categories: dict[str, tuple[Category, ...]] = {}
    histograms: dict[str, Histogram] = {}
    score_histogram: Histogram | None = None
