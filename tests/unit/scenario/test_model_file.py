"""`model.toml`: what a model reads and how it is trained."""

import pytest

from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.scenario.description import ModelDescription
from fraudbrain_shared.scenario.usage import usage
from tests.unit.scenario.small import SMALL, parse, problems_of

MODEL = """\
features = ["spend_mean", "ratio"]
retrain_every = "7d"
train_window = "120d"
min_frauds = 20
[starting_shares]
cut = 0.01
"""
PARAMETERS = (
    SMALL["parameters.toml"] + '[cut]\ntype = "double"\ndefault = 0.5\nlow = 0.1\nhigh = 0.9\nscale = "score"\n'
)
DAY_MS = 86_400_000


def folder(model: str) -> dict[str, str]:
    return {**SMALL, "parameters.toml": PARAMETERS, "model.toml": model}


def test_what_is_left_out_is_as_usual() -> None:
    assert parse(folder(MODEL)).model == ModelDescription(
        features=("spend_mean", "ratio"),
        retrain_every_ms=7 * DAY_MS,
        train_window_ms=120 * DAY_MS,
        min_frauds=20,
        starting_shares={"cut": 0.01},
    )


def test_a_scenario_needs_no_model() -> None:
    assert parse(SMALL).model is None


@pytest.mark.parametrize(
    ("old", "new", "marked", "cause", "hint"),
    [
        ('"ratio"', '"raito"', '"raito"', "unknown feature raito", "did you mean ratio?"),
        ('"ratio"', '"spend_mean"', '"spend_mean"', "feature spend_mean stands here twice", ""),
        ('["spend_mean", "ratio"]', "[]", "[]", "features is empty", ""),
        ('retrain_every = "7d"', 'retrain_every = "7"', '"7"', "retrain_every is no duration", ""),
        ("min_frauds = 20", "min_frauds = 0", "0", "min_frauds is from 1 to 1000000", ""),
        ("min_frauds = 20", "depth = 40", "40", "depth is from 1 to 12", ""),
        ("min_frauds = 20", "learning_rate = 1.5", "1.5", "learning_rate is from 0.0001 to 1.0", ""),
        ("min_frauds = 20", "min_fruads = 20", "min_fruads", "unknown key min_fruads", "did you mean min_frauds?"),
        ("cut = 0.01", "cut = 1.0", "1.0", "cut is a share: between 0 and 1", ""),
        ("cut = 0.01", "limit = 0.01", "limit", 'limit is no parameter with scale = "score"', "known: cut"),
    ],
)
def test_a_mistake_is_a_problem_that_marks_it(old: str, new: str, marked: str, cause: str, hint: str) -> None:
    (problem,) = problems_of(folder(MODEL.replace(old, new)))
    at = problem.column - 1
    assert (problem.file, problem.source[at : at + problem.length], problem.cause) == ("model.toml", marked, cause)
    assert hint in problem.hint


def test_a_feature_that_is_no_number_is_refused() -> None:
    features = SMALL["features.toml"] + 'where = "event.terminal_id"\n'
    (problem,) = problems_of({**folder(MODEL.replace('"ratio"', '"where"')), "features.toml": features})
    assert problem.cause == "where is a string; a model reads numbers"


def test_a_feature_that_is_broken_is_reported_once() -> None:
    features = SMALL["features.toml"].replace("profile.spend_mean", "profile.spend_maen")
    assert {each.file for each in problems_of({**folder(MODEL), "features.toml": features})} == {"features.toml"}


def test_what_only_the_model_reads_is_not_unused() -> None:
    (ratio,) = (each for each in usage(parse(folder(MODEL))).derived if each.name == "derived.ratio")
    assert ratio.used_by[-1] == "model"


def test_the_built_in_scenario_has_a_model() -> None:
    model = load_scenario("cards").model
    assert model is not None
    assert {"amount", "terminal_frauds_28d"} <= set(model.features)
