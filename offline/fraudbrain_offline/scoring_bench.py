"""How fast one row is scored: ours and XGBoost's `Booster.inplace_predict` in turns, on the features of real decisions.

The model is trained on what decisions on the given events log, so that rows go the ways through the trees that rows of
the stream go. Its labels are noise enough that the trees go on splitting to their full depth.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import xgboost

from fraudbrain_offline.dataset import Matrix
from fraudbrain_offline.release import release_of
from fraudbrain_shared.decisions import Simulation
from fraudbrain_shared.models import Scorer, load_scorer, seal
from fraudbrain_shared.records import Decision
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.load import load_scenario
from fraudbrain_shared.testing.alternating import Tell, Work, alternate

VERSION: Final = "bench"
Vector = tuple[float | None, ...]
_CASES: Final = 200
_FEWER: Final = (1, 50)
_FOREVER_MS: Final = 2**62


class ScoringFound(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds per row and round, and how far our scores are from XGBoost's at most, over all rows.

    `growth_us` are ours by the number of trees, the first of the model's; `nodes` are those of the whole model.
    """

    versions: dict[str, str]
    ours_us: list[float]
    xgboost_us: list[float]
    max_difference: float
    rows: int
    trees: int
    nodes: int
    growth_us: dict[int, list[float]]


def measure(
    scenario: str, events: Path, release: Path, *, rounds: int, slice_s: float, tell: Tell = lambda _: None
) -> ScoringFound:
    """Trains, measures, and writes the sealed release.

    `events` is a file of JSON lines of one type of event, `scenario` a name or a folder; its `model.toml` says
    features, trees and depth. Ours includes what every decision pays: the conversion of its logged features, None
    among them, into the row that the kernel reads. XGBoost is handed rows of float32 that somebody made before.
    """
    description = load_scenario(scenario)
    tell("the model is trained")
    names, logged = _logged(description, events)
    rows = np.array(logged, np.float64).astype(np.float32)
    booster, columns = _trained(description, names, rows)
    made = msgspec.structs.replace(release_of(booster, rows[:, columns]), version=VERSION, scenario=description.version)
    record = seal(made)
    release.write_bytes(record)
    scorer = load_scorer(record, names)
    chosen = list(range(0, len(rows), max(1, len(rows) // _CASES)))
    vectors = [logged[at] for at in chosen]
    single = [np.ascontiguousarray(rows[at : at + 1, columns]) for at in chosen]

    def theirs() -> None:
        for row in single:
            booster.inplace_predict(row)

    fewer = {trees: _first_trees(booster, trees, rows[:, columns], names) for trees in _FEWER}
    works = {"ours": _scoring(scorer, vectors), "xgboost": theirs}
    works |= {str(trees): _scoring(each, vectors) for trees, each in fewer.items()}
    us = alternate(works, cases=len(chosen), rounds=rounds, slice_s=slice_s, tell=lambda text: tell(f"scoring: {text}"))
    return ScoringFound(
        versions={"xgboost": xgboost.__version__},
        ours_us=us["ours"],
        xgboost_us=us["xgboost"],
        max_difference=_max_difference(scorer, booster, logged, rows[:, columns]),
        rows=len(rows),
        trees=booster.num_boosted_rounds(),
        nodes=len(made.trees.feature),
        growth_us={trees: us[str(trees)] for trees in fewer} | {booster.num_boosted_rounds(): us["ours"]},
    )


def _scoring(scorer: Scorer, vectors: Sequence[Vector]) -> Work:
    def work() -> None:
        for vector in vectors:
            scorer.score(vector)

    return work


def _first_trees(booster: xgboost.Booster, trees: int, rows: Matrix, names: Sequence[str]) -> Scorer:
    return load_scorer(seal(release_of(booster, rows, rounds=(0, trees))), names)


def _logged(scenario: Scenario, events: Path) -> tuple[tuple[str, ...], list[Vector]]:
    """The names of the logged features, and their values of each decision."""
    simulation, rows = Simulation(scenario), []
    for line in events.read_bytes().splitlines():
        subject: str = msgspec.json.decode(line)["fields"][scenario.subject]
        ending = simulation.take(subject.encode(), line, _FOREVER_MS)
        if isinstance(ending, Decision):
            rows.append(ending.features)
    return simulation.feature_names, rows


def _trained(scenario: Scenario, names: Sequence[str], rows: Matrix) -> tuple[xgboost.Booster, list[int]]:
    """The booster, and which of the logged features are its columns."""
    assert scenario.model is not None
    columns = [names.index(name) for name in scenario.model.features]
    noise = np.random.default_rng(2).random(len(rows))
    usual = np.nan_to_num(rows[:, names.index(scenario.model.features[1])])
    label = noise + 0.3 * (usual > np.median(usual)) > 0.8
    matrix = xgboost.DMatrix(rows[:, columns], label=label, feature_names=list(scenario.model.features), nthread=1)
    settings = {"objective": "binary:logistic", "max_depth": scenario.model.depth, "min_child_weight": 0}
    booster = xgboost.train(settings | {"eta": 0.05, "nthread": 1}, matrix, scenario.model.rounds)
    return booster, columns


def _max_difference(scorer: Scorer, booster: xgboost.Booster, logged: Sequence[Vector], rows: Matrix) -> float:
    ours: npt.NDArray[np.float64] = np.array([scorer.score(each) for each in logged])
    return float(np.abs(ours - booster.inplace_predict(rows)).max())
