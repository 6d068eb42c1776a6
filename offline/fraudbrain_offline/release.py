"""From a trained booster to a release that the fast tier can use, and check, by itself."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import numpy as np
import numpy.typing as npt
import xgboost

from fraudbrain_offline.dataset import DataSet, Matrix
from fraudbrain_offline.golden import golden_rows
from fraudbrain_offline.trees import UnsupportedModel, categories_of, flatten, predicting
from fraudbrain_shared.models.histograms import category_edges, decile_edges, histogram
from fraudbrain_shared.models.structure import MAX_GOLDEN_ROWS
from fraudbrain_shared.records import MODEL_FORMAT, Category, Histogram, ModelRelease
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.description import BudgetTuner, ModelDescription, Parameter


def build_release(
    booster: xgboost.Booster,
    data: DataSet,
    scenario: Scenario,
    description: ModelDescription,
    metrics: Mapping[str, float],
) -> ModelRelease:
    """The release of a booster trained on a data set, not sealed yet.

    Its version is the day of the cut and a hash of all that it scores with, so that the same training twice
    gives the same version. Raises UnsupportedModel.
    """
    made = release_of(booster, data.rows, features=data.features)
    starts = starting_values(score(booster, data.rows), wanted_shares(scenario, description), scenario.parameters)
    scoring = (made.features, made.categories, made.base_margin, made.trees, sorted(starts.items()))
    content = msgspec.json.encode(scoring)
    day = datetime.fromtimestamp(data.cut_ms / 1000, UTC)
    return msgspec.structs.replace(
        made,
        version=f"{day:%Y-%m-%d}-{sha256(content).hexdigest()[:8]}",
        starting_values=starts,
        scenario=scenario.version,
        feature_set=data.feature_set,
        trained_as_of=data.cut_ms,
        rows=len(data),
        frauds=data.frauds,
        metrics=dict(metrics),
    )


def release_of(
    booster: xgboost.Booster,
    rows: Matrix,
    *,
    features: Sequence[str] | None = None,
    categories: Mapping[str, Sequence[Category]] | None = None,
    rounds: tuple[int, int] | None = None,
) -> ModelRelease:
    """The release of any binary classifier of trees, without a version; `rows` are what it was trained on.

    In the rows NaN is missing and a category stands as its code. `features` are the names of the columns if the
    booster has none, `categories` the values of those that have categories, by code, if they are not as
    `trees.categories_of` finds them. `rounds` as in `trees.predicting`. Raises UnsupportedModel.
    """
    booster = predicting(booster, rounds)
    names = tuple(features or booster.feature_names or ())
    if len(names) != rows.shape[1] or (booster.feature_names or list(names)) != list(names):
        raise UnsupportedModel(f"the booster reads {booster.feature_names}, the {rows.shape[1]} columns are {names}")
    flat = flatten(booster)
    told = categories_of(booster, flat, names, rows) if categories is None else categories
    known = {name: tuple(values) for name, values in told.items()}
    rows = _known(rows, names, known)
    trained = score(booster, rows)
    draft = ModelRelease(
        version="",
        features=names,
        base_margin=flat.base_margin,
        trees=flat.trees,
        golden=(),
        golden_scores=(),
        sha256="",
        format=MODEL_FORMAT,
        categories=known,
        histograms={name: _histogram(rows[:, at], known.get(name)) for at, name in enumerate(names)},
        score_histogram=histogram(trained, decile_edges(trained)),
    )
    golden = golden_rows(draft, rows, limit=MAX_GOLDEN_ROWS).rows
    return msgspec.structs.replace(
        draft, golden=_values(golden, draft), golden_scores=tuple(score(booster, golden).tolist())
    )


def score(booster: xgboost.Booster, rows: Matrix) -> npt.NDArray[np.float32]:
    """XGBoost's own answer, in all rounds of the booster: the judge of ours."""
    names, types = booster.feature_names, booster.feature_types
    matrix = xgboost.DMatrix(rows, feature_names=names, feature_types=types, enable_categorical=True, nthread=1)
    scores: npt.NDArray[np.float32] = booster.predict(matrix)
    return scores


def wanted_shares(scenario: Scenario, description: ModelDescription) -> dict[str, float]:
    """By parameter, the share of events that reaches its starting value: as `model.toml` says, else as the
    slow tier will aim at. Parameters with neither keep their default."""
    budgets = {
        name: parameter.tuning.tuner.share
        for name, parameter in scenario.parameters.items()
        if parameter.tuning and isinstance(parameter.tuning.tuner, BudgetTuner)
    }
    return budgets | description.starting_shares


def starting_values(
    trained: npt.NDArray[np.float32], shares: Mapping[str, float], parameters: Mapping[str, Parameter]
) -> dict[str, float]:
    """Where the thresholds on the score start: the least score of the `share` of events that score highest, at
    least one event, kept within the parameter's bounds."""
    ordered = np.sort(trained)[::-1]
    starts = {}
    for name, share in shares.items():
        threshold = float(ordered[max(1, int(share * len(ordered))) - 1])
        starts[name] = min(max(threshold, parameters[name].low), parameters[name].high)
    return starts


def _known(rows: Matrix, names: Sequence[str], categories: Mapping[str, Sequence[Category]]) -> Matrix:
    """The rows without what a scorer takes for missing: numbers that are not finite and codes that there are not."""
    known = np.where(np.isfinite(rows), rows, np.float32(np.nan)).astype(np.float32)
    for at, name in enumerate(names):
        if name in categories:
            column = known[:, at]
            column[~((column >= 0) & (column < len(categories[name])) & (column == np.floor(column)))] = np.nan
    return known


def _histogram(column: npt.NDArray[np.float32], values: Sequence[Category] | None) -> Histogram:
    return histogram(column, decile_edges(column) if values is None else category_edges(len(values)))


def _values(rows: Matrix, draft: ModelRelease) -> tuple[tuple[float | str | None, ...], ...]:
    """Rows as a record holds them: None where a value is missing, categories as such, numbers as short as can be."""
    columns = []
    for name, column in zip(draft.features, rows.T, strict=True):
        values = draft.categories.get(name)
        columns.append(
            [None if np.isnan(each) else float(str(each)) if values is None else values[int(each)] for each in column]
        )
    return tuple(zip(*columns, strict=True))
