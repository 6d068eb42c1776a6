"""A model release as it travels on the `models` topic: trees as flat arrays, nothing to execute."""

import msgspec


class Trees(msgspec.Struct, frozen=True):
    """All trees of a model in flat arrays, node by node; children are indices into the same arrays.

    A node with `feature` −1 is a leaf and `value` its contribution; else `value` is the threshold:
    smaller goes left, missing goes left where `missing_left`. `roots` gives each tree's first node.
    """

    roots: tuple[int, ...]
    feature: tuple[int, ...]
    value: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    missing_left: tuple[bool, ...]


class ModelRelease(msgspec.Struct, frozen=True):
    """A scored model under the key `champion` or `challenger`.

    `features` names the inputs in order, `golden` are rows of them and `golden_scores` what the
    trained model answered: whoever loads the release scores them again before using it.
    """

    version: str
    features: tuple[str, ...]
    base_margin: float
    trees: Trees
    golden: tuple[tuple[float | None, ...], ...]
    golden_scores: tuple[float, ...]
    sha256: str
    starting_values: dict[str, float] = {}
