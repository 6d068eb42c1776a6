"""`model.toml`: what a model reads, how it is trained, and where the thresholds on its score start."""

from typing import Final, TypeVar

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.scenario.description import ModelDescription, Scenario
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.feature_set import feature_names
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.table import Table

N = TypeVar("N", int, float)

_NUMBERS: Final = (Type.INT, Type.DOUBLE, Type.BOOL)


def read_model(file: Table, scenario: Scenario, expressions: ExpressionCheck) -> ModelDescription | None:
    """The model; None if the folder describes none. `scenario` has its features and parameters already."""
    if not file.keys():
        return None
    usual = ModelDescription(features=(), retrain_every_ms=1)
    described = ModelDescription(
        features=_features(file, scenario, expressions),
        retrain_every_ms=file.duration_ms("retrain_every") or usual.retrain_every_ms,
        train_window_ms=file.optional(file.duration_ms, "train_window"),
        starting_shares=_starting_shares(file.table("starting_shares"), scenario, expressions),
        min_frauds=_within(file, "min_frauds", file.optional(file.whole, "min_frauds"), usual.min_frauds, 1, 1_000_000),
        rounds=_within(file, "rounds", file.optional(file.whole, "rounds"), usual.rounds, 1, 5_000),
        depth=_within(file, "depth", file.optional(file.whole, "depth"), usual.depth, 1, 12),
        max_bin=_within(file, "max_bin", file.optional(file.whole, "max_bin"), usual.max_bin, 16, 65_536),
        learning_rate=_within(
            file, "learning_rate", file.optional(file.number, "learning_rate"), usual.learning_rate, 0.0001, 1.0
        ),
    )
    file.ignore("gates")  # what a model must reach before it goes live; read once there are such gates
    file.close()
    return described


def _features(file: Table, scenario: Scenario, expressions: ExpressionCheck) -> tuple[str, ...]:
    """The model's inputs: of the features that decisions log, those that are numbers."""
    known = feature_names(scenario)
    features: list[str] = []
    for index, name in file.texts("features"):
        if fault := _feature_fault(name, features, known, scenario):
            if name in known or not _is_broken(name, expressions):
                file.note(fault, "" if name in known else nearest(name, known), key="features", index=index)
        else:
            features.append(name)
    if "features" in file and not file.value("features"):
        file.note("features is empty", "name profile reads and derived features", key="features")
    return tuple(features)


def _feature_fault(name: str, earlier: list[str], known: tuple[str, ...], scenario: Scenario) -> str | None:
    if name in earlier:
        return f"feature {name} stands here twice"
    if name not in known:
        return f"unknown feature {name}"
    if known.count(name) > 1:
        return f"a read of the profile and a derived feature are both called {name}"
    if name in scenario.derived and scenario.derived[name].type not in _NUMBERS:
        return f"{name} is a {scenario.derived[name].type.value}; a model reads numbers"
    return None


def _is_broken(name: str, expressions: ExpressionCheck) -> bool:
    return any(expressions.is_passed_over(f"{beginning}.{name}") for beginning in ("profile", "derived"))


def _starting_shares(table: Table, scenario: Scenario, expressions: ExpressionCheck) -> dict[str, float]:
    """By parameter, the share of events that score at least its starting value."""
    on_score = [name for name, each in scenario.parameters.items() if each.scale == "score"]
    shares: dict[str, float] = {}
    for name in table.keys():  # noqa: SIM118
        share = table.number(name)
        if expressions.is_passed_over(f"param.{name}"):
            continue
        if name not in on_score:
            table.note(f'{name} is no parameter with scale = "score"', nearest(name, on_score), key=name, at_key=True)
        elif share is not None and not 0 < share < 1:
            table.note("a share is above 0 and below 1", key=name)
        elif share is not None:
            shares[name] = share
    return shares


def _within(file: Table, key: str, value: N | None, usual: N, low: N, high: N) -> N:
    """The value under the key, the usual one if there is none; outside of the bounds it is a problem."""
    if value is None:
        return usual
    if not low <= value <= high:
        file.note(f"{key} is from {low} to {high}", key=key)
    return value
