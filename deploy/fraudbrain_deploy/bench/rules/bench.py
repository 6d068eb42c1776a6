"""`fraudbrain bench rules`: the measuring process, and the rows and the curve made of what it found."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from fraudbrain_deploy.bench.measuring_process import measured
from fraudbrain_deploy.bench.report import Curve, Row, compared
from fraudbrain_deploy.bench.rules.engines import CEL_CPP, OURS, ZEN_ENGINE
from fraudbrain_deploy.bench.rules.measuring import Found
from fraudbrain_shared.testing.alternating import Tell

# What each ratio must and should be at 50 rules: half of what a first prototype reached, and all of it.
BOUNDS: Final = {ZEN_ENGINE: (8.0, 15.0), CEL_CPP: (15.0, 25.0)}
_BOUND_SIZE: Final = 50
# What a first prototype cost on two cores; the shape is the point: linear, and no step.
_BASE_US: Final = 0.35
_PER_RULE_US: Final = 0.015
# No run takes as long: what is made ready, and the works that take turns on a machine ten times as busy.
_START_S: Final = 300.0
_WORKS: Final = 200


def run(peers: Path | None, *, rounds: int, slice_s: float, tell: Tell) -> Found:
    """Measures in a process of its own; `tell` hears how far it is. Raises UserError where that fails."""
    options = ["--rounds", str(rounds), "--slice-s", str(slice_s)] + (["--peers", str(peers)] if peers else [])
    at_most_s = _START_S + _WORKS * rounds * slice_s
    answer = measured("fraudbrain_deploy.bench.rules.measuring", options, at_most_s=at_most_s, tell=tell)
    return msgspec.json.decode(answer, type=Found)


def rows(found: Found) -> Iterator[Row]:
    """Each peer beside us, with the cost of handing the values over and without it."""
    for size, engines in found.whole_us.items():
        ours_us = engines[OURS]
        for name in (each for each in engines if each != OURS):
            must, aim = BOUNDS[name] if size == _BOUND_SIZE else (None, None)
            yield compared(f"{name} / ours, {size} rules", engines[name], ours_us, must=must, aim=aim)
            pairs = zip(engines[name], found.inputs_us[size][name], strict=True)
            alone = [whole - inputs for whole, inputs in pairs]
            yield compared(f"{name} / ours, {size} rules, evaluating alone", alone, ours_us)


def curve(found: Found) -> Curve:
    """How our own cost grows with the number of rules."""
    return Curve(
        name="rules, µs per event by their number",
        formula=f"{_BASE_US} + {_PER_RULE_US} µs × n",
        us={size: median(us) for size, us in found.curve_us.items()},
        should_us={size: _BASE_US + _PER_RULE_US * size for size in found.curve_us},
    )


def facts(found: Found) -> list[str]:
    """What the work was."""
    nodes = ", ".join(f"{mean:g} nodes in each of {size}" for size, mean in found.mean_nodes.items())
    fired = ", ".join(f"{mean:g} of {size}" for size, mean in found.fired.items())
    agreed = "all engines find the same" if found.versions else "no peers"
    return [f"rules: {found.cases} events; {nodes} on average; {fired} fire; {agreed}"]


def rounds_us(found: Found) -> dict[str, list[float]]:
    """All that was measured, by what it was."""
    whole = {f"rules {size}: {name}": us for size, by in found.whole_us.items() for name, us in by.items()}
    inputs = {f"rules {size}: {name}, inputs": us for size, by in found.inputs_us.items() for name, us in by.items()}
    return whole | inputs | {f"rules growth: {size}": us for size, us in found.curve_us.items()}
