"""A trained booster as flat trees: read from XGBoost's own JSON, which `xgboost.Booster.save_raw` documents.

Schema: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

from dataclasses import dataclass, field
from math import log
from typing import Any, Final

import msgspec
import xgboost

from fraudbrain_shared.records import Trees

_LEAF: Final = -1
_NUMERIC: Final = 0


class UnsupportedModel(Exception):
    """The booster is no binary classifier of trees with numeric splits."""


@dataclass(frozen=True, slots=True)
class FlatModel:
    """Trees, and where their sum starts, in log-odds. `places[t][n]` is where XGBoost's node n of tree t stands."""

    trees: Trees
    base_margin: float
    places: tuple[dict[int, int], ...]


def flatten(booster: xgboost.Booster) -> FlatModel:
    """The booster's trees, breadth first, so that children stand after their parents. Raises UnsupportedModel."""
    learner = msgspec.json.decode(bytes(booster.save_raw("json")))["learner"]
    objective, kind = learner["objective"]["name"], learner["gradient_booster"]["name"]
    if (objective, kind) != ("binary:logistic", "gbtree"):
        raise UnsupportedModel(f"{kind} with {objective}; gbtree with binary:logistic can be released")
    flat = _Flat()
    places = tuple(flat.add(tree) for tree in learner["gradient_booster"]["model"]["trees"])
    return FlatModel(flat.trees(), _log_odds(learner["learner_model_param"]["base_score"]), places)


def _log_odds(base_score: str) -> float:
    """Since 3.1 the base score stands in the file as a list of one probability, such as `[6.705E-3]`."""
    probability = float(base_score.strip("[]"))
    return log(probability / (1 - probability))


@dataclass(slots=True)
class _Flat:
    """The arrays of `Trees` while they grow."""

    roots: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)

    def add(self, tree: dict[str, Any]) -> dict[int, int]:
        """Adds a tree; the place of each of its nodes."""
        if any(kind != _NUMERIC for kind in tree["split_type"]):
            raise UnsupportedModel("a split by category; numeric ones can be released")
        first = len(self.feature)
        order = [0]
        for node in order:  # grows while it is walked: breadth first
            if tree["left_children"][node] != _LEAF:
                order += (tree["left_children"][node], tree["right_children"][node])
        places = {node: first + place for place, node in enumerate(order)}
        self.roots.append(first)
        for node in order:
            left, right = tree["left_children"][node], tree["right_children"][node]
            is_leaf = left == _LEAF
            self.feature.append(_LEAF if is_leaf else tree["split_indices"][node])
            self.value.append(float(tree["split_conditions"][node]))  # of a leaf its contribution
            self.left.append(_LEAF if is_leaf else places[left])
            self.right.append(_LEAF if is_leaf else places[right])
            self.missing_left.append(not is_leaf and bool(tree["default_left"][node]))
        return places

    def trees(self) -> Trees:
        return Trees(
            roots=tuple(self.roots),
            feature=tuple(self.feature),
            value=tuple(self.value),
            left=tuple(self.left),
            right=tuple(self.right),
            missing_left=tuple(self.missing_left),
        )
