"""From a trained booster to a release that the fast tier can use, and check, by itself."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from math import isnan

import msgspec
import numpy as np
import numpy.typing as npt
import xgboost

from fraudbrain_offline.dataset import DataSet, Matrix
from fraudbrain_offline.golden import golden_rows
from fraudbrain_offline.training import as_matrix, scores
from fraudbrain_offline.trees import flatten
from fraudbrain_shared.models.structure import MAX_GOLDEN_ROWS
from fraudbrain_shared.records import ModelRelease
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.description import BudgetTuner, ModelDescription, Parameter


def build_release(
    booster: xgboost.Booster,
    data: DataSet,
    scenario: Scenario,
    description: ModelDescription,
    metrics: Mapping[str, float],
) -> ModelRelease:
    """The release, not sealed yet. Its version is the day of the cut and a hash of all that it scores with, so
    that the same training twice gives the same version. Raises UnsupportedModel."""
    flat = flatten(booster)
    matrix = as_matrix(data.rows, data.features)
    trained = scores(booster, matrix)
    golden = golden_rows(booster, flat, matrix, limit=MAX_GOLDEN_ROWS)
    starts = starting_values(trained, wanted_shares(scenario, description), scenario.parameters)
    content = msgspec.json.encode((data.features, flat.base_margin, flat.trees, sorted(starts.items())))
    day = datetime.fromtimestamp(data.cut_ms / 1000, UTC)
    return ModelRelease(
        version=f"{day:%Y-%m-%d}-{sha256(content).hexdigest()[:8]}",
        features=data.features,
        base_margin=flat.base_margin,
        trees=flat.trees,
        golden=golden_values(data.rows[golden]),
        golden_scores=tuple(trained[golden].tolist()),
        sha256="",
        starting_values=starts,
        scenario=scenario.version,
        feature_set=data.feature_set,
        trained_as_of=data.cut_ms,
        rows=len(data),
        frauds=data.frauds,
        metrics=dict(metrics),
    )


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


def golden_values(rows: Matrix) -> tuple[tuple[float | None, ...], ...]:
    """Rows as a record holds them: None where a value is missing."""
    return tuple(tuple(None if isnan(value) else value for value in row) for row in rows.tolist())
