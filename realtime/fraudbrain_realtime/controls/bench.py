"""What controls cost a worker: bytes and seconds for many entities, and the time of its turn that opening one takes."""

import gc
import resource
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

import msgspec

from fraudbrain_realtime.controls.controls import Controls
from fraudbrain_realtime.controls.prepare import open_model, open_rules, prepare_rules
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.controls import own_rules
from fraudbrain_shared.decisions import DecisionCore, Origin
from fraudbrain_shared.features import ContextFold, ContextInput, EntityStates, ProfileFold
from fraudbrain_shared.models import Scorer, pack
from fraudbrain_shared.records import ModelRelease, ParameterValue, Trees
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.topics import context_key, value_key

NOW_MS: Final = 1_767_225_600_000
TREES, DEPTH = 200, 6
_RECORDS_EACH: Final = 5
_TEMPLATES: Final = 1_000
_OPENED: Final = 31
_DAY_MS: Final = 86_400_000


class Kept(msgspec.Struct, frozen=True):
    """Many records of one topic, taken one after the other by controls that had none; processor time."""

    what: str
    records: int
    seconds: float
    bytes_each: float
    tracked_each: float


class Opened(msgspec.Struct, frozen=True):
    """What came out of a preparation, opened again and again."""

    what: str
    kilobytes: float
    median_ms: float


class Costs(msgspec.Struct, frozen=True):
    """All that was measured."""

    kept: list[Kept]
    opened: list[Opened]


def measure(scenario: Scenario, entities: int) -> Costs:
    """Takes about a minute for a million entities. What the scenario has no features or parameters for is left out."""
    core = DecisionCore(scenario, own_rules(scenario), Origin("a", 1, "bench"), ProfileFold(scenario))
    kept = [
        _kept(what, Controls(scenario, lambda _: core, most_entities=entities), records)
        for what, records in (("context", contexts(scenario, entities)), ("parameters", parameters(scenario, entities)))
    ]
    return Costs([each for each in kept if each.records], [_rules(scenario, core), _model(core)])


def page(costs: Costs) -> str:
    """The figures as people read them."""
    lines = [
        f"{each.what:<11}{each.records:>12,} entities{each.seconds:>8.1f} s of a processor until ready"
        f"{each.bytes_each:>7.0f} bytes each{each.tracked_each:>7.3f} objects each for the garbage collector"
        for each in costs.kept
    ]
    lines += [f"{each.what:<34}{each.kilobytes:>9.0f} KB{each.median_ms:>9.2f} ms to open" for each in costs.opened]
    return "\n".join(lines)


def contexts(scenario: Scenario, entities: int) -> Iterator[ControlRecord]:
    """States of the scenario's first kind of entity, with some records folded into each feature."""
    features = list(scenario.context.values())
    if not features:
        return
    kind = features[0].entity
    fold, chance = ContextFold(scenario), Random(1)
    states = []
    for _ in range(min(entities, _TEMPLATES)):
        made: EntityStates = {}
        for feature in (each for each in features if each.entity == kind):
            for _ in range(_RECORDS_EACH):
                at = NOW_MS - chance.randrange(feature.window_ms)
                fold.add(made, ContextInput(kind, "", feature.id, at, chance.randrange(1, 50_000)))
        states.append(fold.record(kind, "", made).states)
    for number in range(entities):
        id_ = f"{kind}-{number}"
        value = msgspec.json.encode({"entity": kind, "id": id_, "states": states[number % len(states)]})
        yield ControlRecord("context", number, context_key(kind, id_), value, NOW_MS)


def parameters(scenario: Scenario, entities: int) -> Iterator[ControlRecord]:
    """A moved value of the scenario's first parameter that is kept per entity, for each of them."""
    for parameter in scenario.parameters.values():
        if parameter.per and parameter.tuning is not None and parameter.scale is None:
            break
    else:
        return
    tuning = parameter.tuning
    evidence: dict[str, int | float] = {"count": tuning.tuner.min_count}
    for number in range(entities):
        id_ = f"entity-{number}"
        value = ParameterValue(
            parameter.name,
            id_,
            parameter.default,
            parameter.default,
            NOW_MS,
            NOW_MS + tuning.expires_ms,
            tuning.tuner.kind,
            evidence,
        )
        yield ControlRecord("parameters", number, value_key(parameter.name, id_), msgspec.json.encode(value), NOW_MS)


def release_of_trees(names: tuple[str, ...]) -> ModelRelease:
    """A release of complete trees with thresholds by chance: as large as one that was trained."""
    chance, inner, size = Random(2), 2**DEPTH - 1, 2 ** (DEPTH + 1) - 1
    nodes = range(TREES * size)
    at_leaf = [node % size >= inner for node in nodes]
    child = [node - node % size + 2 * (node % size) + 1 for node in nodes]
    trees = Trees(
        roots=tuple(range(0, TREES * size, size)),
        feature=tuple(-1 if leaf else chance.randrange(len(names)) for leaf in at_leaf),
        value=tuple(chance.gauss(0, 1) for _ in nodes),
        left=tuple(-1 if leaf else at for leaf, at in zip(at_leaf, child, strict=True)),
        right=tuple(-1 if leaf else at + 1 for leaf, at in zip(at_leaf, child, strict=True)),
        missing_left=tuple(chance.random() < 0.5 for _ in nodes),
    )
    return ModelRelease("bench", names, 0.0, trees, golden=(), golden_scores=(), sha256="")


def _kept(what: str, controls: Controls, records: Iterator[ControlRecord]) -> Kept:
    """The records are made in slices of which only the taking is timed."""
    gc.collect()
    tracked, memory, seconds, taken = len(gc.get_objects()), _resident_bytes(), 0.0, 0
    while slice_ := list(islice(records, 10_000)):
        begun = time.process_time()
        for record in slice_:
            controls.update(record)
        seconds += time.process_time() - begun
        taken += len(slice_)
    del slice_
    gc.collect()
    each = max(taken, 1)
    grown = (_resident_bytes() - memory) / each
    return Kept(what, taken, seconds, grown, (len(gc.get_objects()) - tracked) / each)


def _rules(scenario: Scenario, core: DecisionCore) -> Opened:
    value = msgspec.json.encode(core.rule_set)
    made = prepare_rules(value, scenario)
    return Opened(f"{len(core.rule_set.rules)} rules", len(made) / 1e3, _ms(lambda: open_rules(value, made, core)))


def _model(core: DecisionCore) -> Opened:
    names = core.feature_names
    made = pack(Scorer(release_of_trees(names), names))
    what = f"a model of {TREES} trees of depth {DEPTH}"
    return Opened(what, len(made) / 1e3, _ms(lambda: open_model(made, names)))


def _ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_OPENED):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return 1_000 * median(times)


def _resident_bytes() -> int:
    """This process's memory, as Linux tells it."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()
