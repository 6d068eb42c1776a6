"""`model.toml`: what a model reads, how it is trained, and where the thresholds on its score start."""

from typing import Final

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.scenario.description import ModelDescription, Scenario
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.feature_set import feature_names
from fraudbrain_shared.scenario.kinds import DURATION, NUMBER, SHARE, TEXTS, number, table_of, whole
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.scope import read_type
from fraudbrain_shared.scenario.table import Names, Table, allowed, defaulting, inside, required

_NUMBERS: Final = (Type.INT, Type.DOUBLE, Type.BOOL)
_USUAL: Final = ModelDescription(features=(), retrain_every_ms=1)


class StartingShares(Names[float]):
    """By parameter with `scale = "score"`: the share of the events a model was trained on that score at least the
    parameter's starting value."""

    called = "<parameter>"
    entry = SHARE
    example = "0.01"


class Gates(Names[float]):
    """What a model must reach before it goes live, by the name of a measure. Accepted, not enforced yet."""

    called = "<measure>"
    entry = NUMBER
    example = "0.5"


class ModelFile(Table):
    """What a model reads and how it is trained, on decisions whose labels are known."""

    features = required(
        TEXTS,
        "Its inputs, by name: reads of the profile, and derived features; numbers only.",
        '["spend_1d_count", "amount_over_usual"]',
    )
    retrain_every = required(DURATION, "How often it is trained anew, in event time.", '"7d"')
    train_window = allowed(DURATION, "How much of the history it is trained on.", '"120d"', default="all")
    min_frauds = defaulting(whole(1, 1_000_000), _USUAL.min_frauds, "With fewer known frauds it is not trained.", "50")
    rounds = defaulting(whole(1, 5_000), _USUAL.rounds, "How many trees.", "100")
    depth = defaulting(whole(1, 12), _USUAL.depth, "How deep a tree is.", "4")
    learning_rate = defaulting(number(0.0001, 1.0), _USUAL.learning_rate, "How much of each tree counts.", "0.1")
    max_bin = defaulting(whole(16, 65_536), _USUAL.max_bin, "Into how many bins a feature is cut.", "1_024")
    starting_shares = inside(table_of(StartingShares), "Where the thresholds on its score start.")
    gates = inside(table_of(Gates), "What it must reach.")


def read_model(file: ModelFile, scenario: Scenario, expressions: ExpressionCheck) -> ModelDescription | None:
    """The model; None if the folder describes none. `scenario` has its features and parameters already."""
    if not file.names:
        return None
    return ModelDescription(
        features=_features(file, scenario, expressions),
        retrain_every_ms=file.retrain_every or _USUAL.retrain_every_ms,
        train_window_ms=file.train_window,
        starting_shares=_starting_shares(file.starting_shares, scenario, expressions),
        min_frauds=file.min_frauds,
        rounds=file.rounds,
        depth=file.depth,
        max_bin=file.max_bin,
        learning_rate=file.learning_rate,
    )


def _features(file: ModelFile, scenario: Scenario, expressions: ExpressionCheck) -> tuple[str, ...]:
    """The model's inputs: of the features that decisions log, those that are numbers."""
    known = feature_names(scenario)
    features: list[str] = []
    for index, name in file.features or ():
        if fault := _feature_fault(name, features, known, scenario):
            if name in known or not _is_broken(name, expressions):
                file.note(fault, "" if name in known else nearest(name, known), key="features", index=index)
        else:
            features.append(name)
    return tuple(features)


def _feature_fault(name: str, earlier: list[str], known: tuple[str, ...], scenario: Scenario) -> str | None:
    if name in earlier:
        return f"feature {name} stands here twice"
    if name not in known:
        return f"unknown feature {name}"
    if known.count(name) > 1:
        return f"a read of the profile and a derived feature are both called {name}"
    kind = _type(name, scenario)
    return None if kind in _NUMBERS else f"{name} is a {kind.value}; a model reads numbers"


def _type(name: str, scenario: Scenario) -> Type:
    """The type of a logged feature: a derived one, or a read of the profile."""
    if name in scenario.derived:
        return scenario.derived[name].type
    reads = ((each, read) for each in scenario.profile.values() for read in each.read)
    return next(read_type(each, read) for each, read in reads if f"{each.name}_{read}" == name)


def _is_broken(name: str, expressions: ExpressionCheck) -> bool:
    return any(expressions.is_passed_over(f"{beginning}.{name}") for beginning in ("profile", "derived"))


def _starting_shares(table: StartingShares, scenario: Scenario, expressions: ExpressionCheck) -> dict[str, float]:
    """By parameter, the share of events that score at least its starting value."""
    on_score = [name for name, each in scenario.parameters.items() if each.scale == "score"]
    shares: dict[str, float] = {}
    for name, share in table.entries().items():
        if expressions.is_passed_over(f"param.{name}"):
            continue
        if name not in on_score:
            table.note(f'{name} is no parameter with scale = "score"', nearest(name, on_score), key=name, at_key=True)
        else:
            shares[name] = share
    return shares
