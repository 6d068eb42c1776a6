"""Validation as it would have been: week by week, trained on what was known when it began, judged by what came.

"Prequential": A. P. Dawid, "Statistical Theory: The Prequential Approach", Journal of the Royal Statistical Society A
147 (1984); with delayed labels as in Le Borgne and others, "Reproducible Machine Learning for Credit Card Fraud
Detection" (2022), chapter 5.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from fraudbrain_offline.amounts import Amounts
from fraudbrain_offline.comparison import Comparison, Events, compare
from fraudbrain_offline.dataset import DataSet
from fraudbrain_offline.held_out import Rows, Stretch, measurable
from fraudbrain_offline.intervals import drawn
from fraudbrain_offline.metrics import Cost, card_precision
from fraudbrain_offline.threshold_sweep import Scores
from fraudbrain_offline.training import as_matrix, scores, train
from fraudbrain_offline.weekly_measures import (
    NAMES,
    MeasureIntervals,
    Measures,
    WeeklyScores,
    as_intervals,
)
from fraudbrain_shared.scenario.description import ModelDescription, Money

_QUARTERS: Final = (0.25, 0.5, 0.75)


class Week(msgspec.Struct, frozen=True):
    """A week that was held out, or a shorter stretch where there was no week: [begin, end), UTC ms.

    `learnt` labelled events, `learnt_frauds` of them frauds, were known when it began; `rows` were judged.
    """

    begin_ms: int
    end_ms: int
    learnt: int
    learnt_frauds: int
    rows: int
    frauds: int
    measures: Measures
    card_precision_100: float

    def metrics(self) -> dict[str, float]:
        """Its measures and counts by name, as those of the whole are called."""
        return {
            **msgspec.structs.asdict(self.measures),
            "card_precision_100": self.card_precision_100,
            "held_out_rows": float(self.rows),
            "held_out_frauds": float(self.frauds),
        }


class Segment(msgspec.Struct, frozen=True):
    """A kind of held-out events by itself. Measures are missing where it has no frauds, or nothing else."""

    name: str
    rows: int
    frauds: int
    measures: Measures | None


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did. Without weeks nothing could be measured.

    `measures` and `card_precision_100` are means over the weeks, `intervals` those of the means. Against the rules:
    events ranked by how many rules fired; missing if none did. Against the champion: by the score that the live
    model had logged, as far as there was one. `approve_all` and `as_decided` are what approving everything would
    have cost, and what the outcomes of the time did.
    """

    weeks: tuple[Week, ...] = ()
    measures: Measures | None = None
    card_precision_100: float | None = None
    intervals: MeasureIntervals | None = None
    against_rules: Comparison | None = None
    against_champion: Comparison | None = None
    segments: tuple[Segment, ...] = ()
    approve_all: Cost | None = None
    as_decided: Cost | None = None

    def metrics(self) -> dict[str, float]:
        """What a release tells of it, by name: means, sums over the weeks, ends of intervals; empty without weeks."""
        if self.measures is None or self.card_precision_100 is None:
            return {}
        found = msgspec.structs.asdict(self.measures)
        found["card_precision_100"] = self.card_precision_100
        found["held_out_weeks"] = float(len(self.weeks))
        found["held_out_rows"] = float(sum(week.rows for week in self.weeks))
        found["held_out_frauds"] = float(sum(week.frauds for week in self.weeks))
        found |= _ends("", self.intervals)
        for name, comparison in (("rules", self.against_rules), ("champion", self.against_champion)):
            if comparison is not None:
                found[f"average_precision_over_{name}"] = comparison.difference.average_precision
                found |= _ends(f"_over_{name}", comparison.intervals, ("average_precision",))
        return found


def validate(
    data: DataSet, description: ModelDescription, *, amounts: Amounts | None = None, money: Money | None = None
) -> Validation:
    """Trains for each of the last weeks, at most four, and judges what came in it.

    `amounts`, by event, and `money` are for costs and segments by amount; without them there are none. Equal data give
    an equal result.
    """
    weeks, rows, found = [], [], []
    for stretch, learnt, tested in measurable(data):
        booster = train(as_matrix(data.rows[learnt], data.features, data.fraud[learnt]), description)
        scored = scores(booster, as_matrix(data.rows[tested], data.features))
        weeks.append(_week(data, stretch, learnt, tested, scored))
        rows.append(tested)
        found.append(scored)
    if not weeks:
        return Validation()
    known = np.full(len(data), np.nan) if amounts is None else amounts
    return _judged(data, known, money, tuple(weeks), rows, np.concatenate(found))


def _week(data: DataSet, stretch: Stretch, learnt: Rows, tested: Rows, scored: Scores) -> Week:
    fraud = data.fraud[tested]
    measures = WeeklyScores([np.arange(len(tested))], fraud, scored).measures()
    assert measures is not None
    return Week(
        *stretch,
        learnt=len(learnt),
        learnt_frauds=int(data.fraud[learnt].sum()),
        rows=len(tested),
        frauds=int(fraud.sum()),
        measures=measures,
        card_precision_100=card_precision(fraud, scored, data.subjects[tested], data.event_times[tested]),
    )


def _judged(
    data: DataSet, amounts: Amounts, money: Money | None, weeks: tuple[Week, ...], parts: list[Rows], scored: Scores
) -> Validation:
    rows = np.concatenate(parts)
    places = np.split(np.arange(len(rows)), np.cumsum([len(part) for part in parts])[:-1])
    events = Events(data.subjects[rows], data.fraud[rows], places, amounts[rows], money)
    model = WeeklyScores(places, events.fraud, scored)
    findings, champion, outcomes = data.findings[rows], data.champion_scores[rows], data.outcomes[rows]
    live = np.isfinite(champion)
    handled = outcomes != "approve"
    return Validation(
        weeks=weeks,
        measures=model.measures(),
        card_precision_100=float(np.mean([week.card_precision_100 for week in weeks])),
        intervals=as_intervals(drawn(events.subjects, model.means)),
        against_rules=compare(events, scored, findings.astype(np.float64), findings > 0) if findings.any() else None,
        against_champion=compare(events.only(live), scored[live], champion[live], handled[live]),
        segments=tuple(_segments(events, scored, data.types[rows])),
        approve_all=events.cost(np.full(len(rows), "approve")),
        as_decided=events.cost(outcomes),
    )


def _segments(events: Events, scored: Scores, types: npt.NDArray[np.str_]) -> Iterator[Segment]:
    """By type of event, if there are several; by quarters of the amount, as far as it is known."""
    names = np.unique(types)
    if len(names) > 1:
        for name in names:
            yield _segment(str(name), events.only(types == name), scored[types == name])
    known = np.isfinite(events.amounts)
    if not known.any():
        return
    edges = np.unique(np.quantile(events.amounts[known], _QUARTERS, method="lower"))
    lows, highs = (-np.inf, *edges), (*edges, np.inf)
    for low, high in zip(lows, highs, strict=True):
        inside = known & (events.amounts > low) & (events.amounts <= high)
        if inside.any():
            name = f"amount above {int(low)}" if np.isinf(high) else f"amount up to {int(high)}"
            yield _segment(name, events.only(inside), scored[inside])


def _segment(name: str, events: Events, scored: Scores) -> Segment:
    measures = WeeklyScores(events.weeks, events.fraud, scored).measures()
    return Segment(name, len(events.fraud), int(events.fraud.sum()), measures)


def _ends(suffix: str, intervals: MeasureIntervals | None, names: tuple[str, ...] = NAMES) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in names:
        ends = getattr(intervals, name, None)
        if ends is not None:
            found |= {f"{name}{suffix}_low": ends.low, f"{name}{suffix}_high": ends.high}
    return found
