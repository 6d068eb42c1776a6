"""`fraudbrain bench core`: the processes that measure, and the rows, stages and curve made of what they found."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from fraudbrain_deploy.bench.core.engine import EVENTS_EACH
from fraudbrain_deploy.bench.core.measuring import Found
from fraudbrain_deploy.bench.core.scoring import Scoring, scored
from fraudbrain_deploy.bench.core.services import BESIDE, services
from fraudbrain_deploy.bench.measuring_process import measured
from fraudbrain_deploy.bench.peers import QUIX, peers_folder
from fraudbrain_deploy.bench.report import Breakdown, Curve, Row, compared
from fraudbrain_shared.testing.alternating import Tell

SIZES: Final = (10_000, 100_000, 1_000_000)
"""Numbers of subjects of which the cost is measured, up to the greatest that is asked for."""

# What a first prototype cost on two cores.
_BASE_US: Final = 2.0
_PER_TREE_US: Final = 0.02
_MOST_GROWTH: Final = 2.5
_MOST_BYTES: Final = 700.0
_BYTES_FROM: Final = 100_000  # of fewer subjects, what else the process needs counts too much
# No run takes as long: what is made ready, and rounds on a machine ten times as busy.
_START_S: Final = 600.0
_WORKS: Final = 400
_QUIX_ROUND_S: Final = 60.0


class CoreFound(msgspec.Struct):
    """What both processes found."""

    scoring: Scoring
    core: Found


def run(data: Path | None, *, subjects: int, rounds: int, slice_s: float, tell: Tell) -> CoreFound:
    """Measures scoring in the offline tier, then the core with the model that was trained there.

    The peers are installed below `data`, and Kafka and Redis run meanwhile; without `data` there are no peers. Raises
    UserError where something cannot be had.
    """
    pace = ["--rounds", str(rounds), "--slice-s", str(slice_s)]
    at_most_s = _START_S + _WORKS * rounds * slice_s
    sizes = [*(size for size in SIZES if size < subjects), subjects]
    with TemporaryDirectory(prefix="fraudbrain-bench-") as made, ExitStack() as ends:
        release = Path(made) / "release.json"
        scoring = scored(release, pace, at_most_s=at_most_s, tell=tell)
        options = ["--release", str(release), "--subjects", *map(str, sizes), *pace]
        if data is not None:
            tell("the peers are made ready")
            options += ["--peers", str(peers_folder(data)), "--quix", str(peers_folder(data, QUIX))]
            tell("Kafka and Redis start")
            stack = ends.enter_context(services(BESIDE))
            options += ["--redis", stack.redis_url, "--broker", stack.kafka_bootstrap]
            at_most_s += rounds * _QUIX_ROUND_S
        answer = measured("fraudbrain_deploy.bench.core.measuring", options, at_most_s=at_most_s, tell=tell)
        return CoreFound(scoring, msgspec.json.decode(answer, type=Found))


def rows(found: CoreFound) -> Iterator[Row]:
    """Each ratio that counts, with what it must and should be."""
    scoring, core = found.scoring, found.core
    yield compared("XGBoost's inplace_predict / ours, one row", scoring.xgboost_us, scoring.ours_us, must=10, aim=45)
    yield Row(
        name="largest difference from XGBoost's score", ratio=scoring.max_difference, must=1e-6, aim=0, is_cost=True
    )
    if core.redis_us:
        yield compared("Redis velocity / our profile update (wall)", core.redis_us, core.update_us, must=20, aim=40)
    if core.quix_us:
        ours = core.whole_us[: len(core.quix_us)]
        yield compared("ours / Quix Streams' bare echo, one event", core.quix_us, ours, must=1.5, aim=1.0, is_cost=True)
    yield compared("sum of the stages / the whole", _sums(core), core.whole_us, must=0.8, aim=0.9)
    yield from _size_rows(core)


def _size_rows(core: Found) -> Iterator[Row]:
    least, most = min(core.growth_us), max(core.growth_us)
    if most > least:
        name = f"{most:,} subjects / {least:,}, one event"
        yield compared(name, core.growth_us[least], core.growth_us[most], must=_MOST_GROWTH, is_cost=True)
    if most >= _BYTES_FROM:
        name = f"bytes per subject of {most:,}, {EVENTS_EACH} events each"
        yield Row(name=name, ratio=core.bytes_each[most], must=_MOST_BYTES, is_cost=True)


def breakdown(found: CoreFound) -> Breakdown:
    """The stages beside the whole."""
    core = found.core
    return Breakdown(
        name="stages, µs per event",
        parts_us={stage: median(us) for stage, us in core.stages_us.items()},
        whole_us=median(core.whole_us),
    )


def curves(found: CoreFound) -> Iterator[Curve]:
    """How the cost of a score grows with the number of trees, and that of an event with the number of subjects."""
    trees_us = {trees: median(us) for trees, us in found.scoring.growth_us.items()}
    yield Curve(
        name="scoring one row, µs by the number of trees",
        formula=f"{_BASE_US:g} + {_PER_TREE_US:g} µs × n",
        us=trees_us,
        should_us={trees: _BASE_US + _PER_TREE_US * trees for trees in trees_us},
    )
    us = {size: median(each) for size, each in found.core.growth_us.items()}
    least = us[min(us)]
    yield Curve(
        name="one event through the core, µs by the number of subjects",
        formula=f"at most {_MOST_GROWTH:g} times that of the fewest",
        us=us,
        should_us={size: least if size == min(us) else _MOST_GROWTH * least for size in us},
    )


def facts(found: CoreFound) -> list[str]:
    """What the work was."""
    scoring, core = found.scoring, found.core
    return [
        f"core: {core.events:,} events of {core.event_bytes:.0f} bytes a round, {core.subjects:,} subjects by Zipf's "
        f"law; {core.fired:g} of 50 rules fire",
        f"model: {scoring.trees} trees, {scoring.nodes:,} nodes, compared on {scoring.rows:,} rows",
    ]


def versions(found: CoreFound) -> dict[str, str]:
    """Of all that was measured beside us."""
    return found.scoring.versions | found.core.versions


def rounds_us(found: CoreFound) -> dict[str, list[float]]:
    """All that was measured, by what it was."""
    core = found.core
    peers = {"core: Redis velocity, wall": core.redis_us, "core: Quix Streams": core.quix_us}
    return {
        "scoring: ours": found.scoring.ours_us,
        "scoring: xgboost": found.scoring.xgboost_us,
        "core: whole": core.whole_us,
        "core: profile update, wall": core.update_us,
        **{f"core stage: {stage}": us for stage, us in core.stages_us.items()},
        **{name: us for name, us in peers.items() if us},
        **{f"scoring growth: {trees}": us for trees, us in found.scoring.growth_us.items()},
        **{f"core growth: {size}": us for size, us in core.growth_us.items()},
    }


def _sums(core: Found) -> list[float]:
    return [sum(us) for us in zip(*core.stages_us.values(), strict=True)]
