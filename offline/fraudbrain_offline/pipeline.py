"""The training run: data set, validation, model, release, one after the other."""

from dataclasses import dataclass, field
from pathlib import Path

from fraudbrain_offline.amounts import read_amounts
from fraudbrain_offline.dataset import DataSet, read_data_set
from fraudbrain_offline.held_out import stretches
from fraudbrain_offline.release import build_release
from fraudbrain_offline.training import as_matrix, train
from fraudbrain_offline.validation import Validation, validate
from fraudbrain_shared.models import open_release, seal
from fraudbrain_shared.records import ModelRelease
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.description import ModelDescription
from fraudbrain_shared.scenario.feature_set import feature_names


@dataclass(frozen=True, slots=True)
class Trained:
    """A release as bytes and as a record, the booster in XGBoost's own format, and how it did in validation."""

    release: ModelRelease
    record: bytes
    booster: bytes
    validation: Validation = field(default_factory=Validation)


class NotEnough(Exception):
    """There is nothing to learn from yet; its text says why. No failure: the next run may have more."""


def run_training(lake: Path, scenario: Scenario, *, as_of_ms: int) -> Trained:
    """Trains on what was known at `as_of_ms` (event time, UTC ms).

    Raises NotEnough, LakeUnreadable, and ReleaseError if the release does not pass the checks of those who use it.
    """
    description = scenario.model
    if description is None:
        raise NotEnough(f"the scenario {scenario.name} has no model.toml")
    data = read_data_set(lake, scenario, description.features, cut_ms=as_of_ms, window_ms=description.train_window_ms)
    if data.frauds < description.min_frauds:
        raise NotEnough(
            f"{data.frauds} frauds are known among {len(data)} labelled decisions, {description.min_frauds} are needed"
            + (f"; {data.other_feature_sets} decisions are of other features" if data.other_feature_sets else "")
        )
    if data.frauds == len(data):
        raise NotEnough(f"all {len(data)} labelled decisions are frauds: no honest one is known")
    validation = _validate(lake, scenario, description, data)
    booster = train(as_matrix(data.rows, data.features, data.fraud), description)
    record = seal(build_release(booster, data, scenario, description, validation.metrics()))
    release = open_release(record, feature_names(scenario), scenario.parameters)
    return Trained(release, record, bytes(booster.save_raw("ubj")), validation)


def _validate(lake: Path, scenario: Scenario, description: ModelDescription, data: DataSet) -> Validation:
    begins = (stretch.begin_ms for stretch in stretches(data))
    amounts = read_amounts(lake, scenario, data, since_ms=next(begins, data.cut_ms))
    return validate(data, description, amounts=amounts, money=scenario.money)
