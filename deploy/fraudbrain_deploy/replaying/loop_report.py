"""What the closed loop did in a replay: what moved, and what that changed."""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from fraudbrain_deploy.replaying.average_precision import average_precision
from fraudbrain_deploy.replaying.controls_log import Move, Release
from fraudbrain_deploy.replaying.digests import Digests, digests
from fraudbrain_deploy.replaying.hindsight import Reviewed
from fraudbrain_shared.records import Decision, Outcome

_PART_ROWS = 50_000
_SEVERITY: dict[Outcome, int] = {"approve": 0, "review": 1, "decline": 2}
_IDENTITY = ["subject", "event_id"]


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """Average precision on the labelled events since the first scored one: ranked by the rules alone (severity of
    their outcome, then how many fired), and by the model. Null without any fraud among them."""

    labelled: int
    frauds: int
    rules_only: float | None
    with_model: float | None


class LoopReport(msgspec.Struct, frozen=True, kw_only=True):
    """What moved and what it changed.

    `moves` counts the governor's records, `entities_moved` the distinct ids in them. A decision counts as
    changed if deciding it again from its logged inputs gives another outcome with all parameters where they
    start, or without the score. `not_reproduced` counts decisions that came out differently when decided
    again from all their logged inputs: it must be 0.
    """

    steps: int
    moves: int
    moves_by_parameter: dict[str, int]
    entities_moved: int
    releases: list[str]
    scored: int
    changed_by_parameters: int
    changed_by_model: int
    not_reproduced: int
    average_precision: Precision | None
    digests: Digests


def loop_report(
    reviewed: Iterable[Reviewed],
    first: pa.Table,
    truth: pa.Table,
    *,
    moves: Sequence[Move],
    releases: Sequence[Release],
    steps: int,
) -> LoopReport:
    """`first` are the first decisions of all events, `truth` the labels of the file, whenever they came."""
    changed = Changes()
    for each in reviewed:
        changed.add(each)
    records = [move.record for move in moves]
    names = sorted({record.name for record in records})
    versions = [release.version for release in releases]
    return LoopReport(
        steps=steps,
        moves=len(records),
        moves_by_parameter={name: sum(record.name == name for record in records) for name in names},
        entities_moved=len({record.id for record in records if record.id}),
        releases=versions,
        scored=changed.scored,
        changed_by_parameters=changed.by_parameters,
        changed_by_model=changed.by_model,
        not_reproduced=changed.not_reproduced,
        average_precision=precision(changed.ranked(), truth),
        digests=digests(first, records, versions),
    )


class Changes:
    """Counts what parameters and model changed, and keeps how each decision was ranked."""

    def __init__(self) -> None:
        self.scored = self.by_parameters = self.by_model = self.not_reproduced = 0
        self._rows: list[tuple[str, str, int, float, float | None]] = []
        self._parts: list[pa.Table] = []

    def add(self, reviewed: Reviewed) -> None:
        decision = reviewed.decision
        self.scored += decision.scores.champion is not None
        self.by_parameters += reviewed.without_moves != reviewed.again
        self.by_model += reviewed.without_model != reviewed.again
        self.not_reproduced += reviewed.again != decision.outcome
        by_rules = rank_by_rules(decision, reviewed.without_model)
        row = (decision.subject, decision.event_id, decision.event_time, by_rules, decision.scores.champion)
        self._rows.append(row)
        if len(self._rows) >= _PART_ROWS:
            self._flush()

    def ranked(self) -> pa.Table:
        """Identity, event time, `rules` and `model` of each decision."""
        self._flush()
        return pa.concat_tables(self._parts)

    def _flush(self) -> None:
        names = [*_IDENTITY, "event_time", "rules", "model"]
        types = (pa.string(), pa.string(), pa.int64(), pa.float64(), pa.float64())
        columns = list(zip(*self._rows, strict=True)) or [()] * len(names)
        self._parts.append(pa.table([pa.array(*each) for each in zip(columns, types, strict=True)], names=names))
        self._rows.clear()


def rank_by_rules(decision: Decision, outcome: Outcome) -> float:
    """Between 0 and 1: the outcome by rules decides, within one outcome the number of findings."""
    findings = len(decision.findings)
    return (_SEVERITY[outcome] + findings / (findings + 1)) / len(_SEVERITY)


def precision(ranked: pa.Table, truth: pa.Table) -> Precision | None:
    """None while no decision was scored, or nothing is known of any since. What has no score is ranked by rules."""
    scored = ranked["model"].is_valid().to_numpy()
    times = ranked["event_time"].to_numpy()
    if not scored.any():
        return None
    since = ranked.filter(pa.array(times >= times[scored].min()))
    known = pa.TableGroupBy(truth, _IDENTITY, use_threads=False).aggregate([("fraud", "last")])
    joined = since.join(known, _IDENTITY, join_type="inner")
    if not joined.num_rows:
        return None
    fraud = joined["fraud_last"].to_numpy().astype(np.bool_)
    rules, model = joined["rules"].to_numpy(), joined["model"].to_numpy()
    return Precision(
        labelled=len(fraud),
        frauds=int(fraud.sum()),
        rules_only=_rounded(average_precision(fraud, rules)),
        with_model=_rounded(average_precision(fraud, np.where(np.isnan(model), rules, model))),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
