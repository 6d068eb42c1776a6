"""A model release as it travels on the `models` topic: trees as flat arrays, nothing to execute."""

import msgspec


class Trees(msgspec.Struct, frozen=True):
    """All trees of a model in flat arrays, node by node; children are indices into the same arrays.

    A node with `feature` −1 is a leaf and `value` its contribution; else `value` is the threshold:
    smaller goes left, missing goes left where `missing_left`. `roots` gives each tree's first node,
    children stand after their parents. Thresholds and contributions are float32 numbers.
    """

    roots: tuple[int, ...]
    feature: tuple[int, ...]
    value: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    missing_left: tuple[bool, ...]


class ModelRelease(msgspec.Struct, frozen=True):
    """A scored model under the key `champion` or `challenger`.

    `features` names the inputs in order, `base_margin` is where the sum of contributions starts, in
    log-odds. `golden` are rows of inputs and `golden_scores` what the trained model answered: whoever
    loads the release scores them again before using it. `sha256` is the hash of the record's own
    bytes with this field empty.

    `starting_values` are the parameters with `scale = "score"` until the slow tier has moved them.
    It was trained on `rows` labelled decisions, `frauds` of them frauds, of the feature set
    `feature_set` under the scenario `scenario`, with the labels known at `trained_as_of` (UTC ms);
    `metrics` is how it did on the last part of them.
    """

    version: str
    features: tuple[str, ...]
    base_margin: float
    trees: Trees
    golden: tuple[tuple[float | None, ...], ...]
    golden_scores: tuple[float, ...]
    sha256: str
    starting_values: dict[str, float] = {}
    scenario: str = ""
    feature_set: str = ""
    trained_as_of: int = 0
    rows: int = 0
    frauds: int = 0
    metrics: dict[str, float] = {}
