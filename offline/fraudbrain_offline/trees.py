"""A trained booster as flat trees: read from XGBoost's own JSON, which `xgboost.Booster.save_raw` documents.

Schema: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xgboost

from fraudbrain_offline.dataset import Matrix
from fraudbrain_shared.models.structure import FLOAT32_MAX
from fraudbrain_shared.records import Category, Trees

_LEAF: Final = -1
_BY_CATEGORY: Final = 1
_OBJECTIVES: Final = ("binary:logistic", "reg:logistic")  # whose score is the logistic function of the margin
_CATEGORIES: Final = "c"  # the type of a feature
_BEST: Final = "best_iteration"


class UnsupportedModel(Exception):
    """The booster is no binary classifier of trees; its text says what it is instead."""


@dataclass(frozen=True, slots=True)
class FlatModel:
    """Trees, and where their sum starts, in log-odds."""

    trees: Trees
    base_margin: float


def predicting(booster: xgboost.Booster, rounds: tuple[int, int] | None = None) -> xgboost.Booster:
    """The part of a booster that predicts: the rounds from the first to before the second of `rounds`.

    Without them all rounds up to the best one, if training was stopped early, else all: as `XGBClassifier` does,
    while `Booster.predict` would use those after the best one as well.
    """
    if rounds is None and booster.attr(_BEST) is not None:
        rounds = (0, int(booster.attr(_BEST) or 0) + 1)
    if rounds is None:
        return booster
    first, end = rounds
    if not 0 <= first < end <= booster.num_boosted_rounds():
        raise UnsupportedModel(f"rounds {first} to {end} of a booster that has {booster.num_boosted_rounds()}")
    return booster[first:end]


def flatten(booster: xgboost.Booster) -> FlatModel:
    """All trees of the booster, breadth first, so that children stand after their parents. Raises UnsupportedModel."""
    learner = _learner(booster)
    parameters, model = learner["learner_model_param"], learner["gradient_booster"]
    objective, kind = learner["objective"]["name"], model["name"]
    if kind not in ("gbtree", "dart") or objective not in _OBJECTIVES:
        raise UnsupportedModel(
            f"{kind} with {objective}; gbtree and dart with {' and '.join(_OBJECTIVES)} can be released"
        )
    if int(parameters["num_class"]) > 1 or int(parameters["num_target"]) > 1:
        raise UnsupportedModel("several classes or targets; one probability for each row can be released")
    trees = model["gbtree"]["model"]["trees"] if kind == "dart" else model["model"]["trees"]
    weights = model["weight_drop"] if kind == "dart" else [1.0] * len(trees)
    flat = _Flat()
    for tree, weight in zip(trees, weights, strict=True):
        flat.add(tree, weight)
    return FlatModel(flat.trees(), _base_margin(parameters["base_score"]))


def categories_of(
    booster: xgboost.Booster, flat: FlatModel, names: Sequence[str], rows: Matrix
) -> dict[str, tuple[Category, ...]]:
    """The values of the features with categories, by code; `names` are those of the rows' columns.

    As the booster was told by the data frame it was trained on; where it was trained on codes these are the
    values themselves, from 0 to the highest that stands in the rows or in a tree.
    """
    told = dict(booster.get_categories(export_to_arrow=True).to_arrow() or ())
    found: dict[str, tuple[Category, ...]] = {}
    for at, (name, kind) in enumerate(zip(names, booster.feature_types or (), strict=False)):
        if kind == _CATEGORIES and (values := told.get(name)) is not None:
            found[name] = tuple(values.to_pylist())
        elif kind == _CATEGORIES:
            found[name] = tuple(range(_highest_code(flat.trees, at, rows[:, at]) + 1))
    return found


def _highest_code(trees: Trees, feature: int, column: npt.NDArray[np.float32]) -> int:
    asked = (
        max(codes, default=0)
        for node, codes in zip(trees.category_nodes, trees.category_sets, strict=True)
        if trees.feature[node] == feature
    )
    return int(max(0, *asked, *column[np.isfinite(column)]))


def _learner(booster: xgboost.Booster) -> Any:
    return json.loads(bytes(booster.save_raw("json")))["learner"]  # msgspec refuses the `Infinity` that may stand there


def _base_margin(base_score: str) -> float:
    """Log-odds in float32, as XGBoost computes them from the probability in the file: `5E-1`, since 3.1 `[5E-1]`."""
    try:
        [text] = base_score.strip("[]").split(",")
        probability = np.float32(text)
    except ValueError:
        raise UnsupportedModel(f"base score {base_score}; one probability can be released") from None
    if not 0 < probability < 1:
        raise UnsupportedModel(f"base score {base_score}, which is no probability between 0 and 1")
    one = np.float32(1)
    return float(np.float32(-log(one / probability - one)))  # numpy's own logarithm is off by a bit here and there


@dataclass(slots=True)
class _Flat:
    """The arrays of `Trees` while they grow."""

    roots: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    cover: list[float] = field(default_factory=list)
    category_nodes: list[int] = field(default_factory=list)
    category_sets: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, tree: dict[str, Any], weight: float) -> None:
        """Adds a tree, each contribution times the weight."""
        first = len(self.feature)
        order = [0]
        for node in order:  # grows while it is walked: breadth first
            if tree["left_children"][node] != _LEAF:
                order += (tree["left_children"][node], tree["right_children"][node])
        places = {node: first + place for place, node in enumerate(order)}
        sets = _sets(tree)
        self.roots.append(first)
        for node in order:
            self.cover.append(tree["sum_hessian"][node])
            if tree["left_children"][node] == _LEAF:
                contribution = tree["split_conditions"][node]
                self._add_node(_LEAF, contribution if weight == 1 else _product(contribution, weight), _LEAF, _LEAF)
                continue
            children = places[tree["left_children"][node]], places[tree["right_children"][node]]
            missing_left = bool(tree["default_left"][node])
            threshold = tree["split_conditions"][node]
            if tree["split_type"][node] == _BY_CATEGORY:
                self.category_nodes.append(places[node])
                self.category_sets.append(sets[node])
                threshold = 0.0
            elif threshold == inf:  # all that is there is below it, and nothing below the least of all numbers
                threshold, children, missing_left = -FLOAT32_MAX, children[::-1], not missing_left
            self._add_node(tree["split_indices"][node], threshold, *children, missing_left=missing_left)

    def _add_node(self, feature: int, value: float, left: int, right: int, *, missing_left: bool = False) -> None:
        self.feature.append(feature)
        self.value.append(float(value))
        self.left.append(left)
        self.right.append(right)
        self.missing_left.append(missing_left)

    def trees(self) -> Trees:
        return Trees(**{name: tuple(getattr(self, name)) for name in Trees.__struct_fields__})


def _sets(tree: Mapping[str, Sequence[int]]) -> dict[int, tuple[int, ...]]:
    """By node, the codes that go right."""
    return {
        node: tuple(sorted(tree["categories"][begin : begin + size]))
        for node, begin, size in zip(
            tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True
        )
    }


def _product(contribution: float, weight: float) -> float:
    return float(np.float32(contribution) * np.float32(weight))
