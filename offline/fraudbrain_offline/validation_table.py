"""A validation as people read it: the weeks, their mean, and what was there before beside it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from fraudbrain_offline.comparison import Comparison
from fraudbrain_offline.intervals import Interval
from fraudbrain_offline.metrics import Cost
from fraudbrain_offline.validation import Segment, Validation, Week
from fraudbrain_offline.weekly_measures import MeasureIntervals, Measures

_NOTHING = "validation: nothing could be measured, as frauds or honest events are lacking before or in the last weeks"
_HEAD = f"{'':24}{'learnt':>10} {'frauds':>8} {'judged':>10} {'frauds':>8}    AUC     AP   R@1%  CP@100"


def as_table(validation: Validation) -> str:
    """The table; one line where nothing could be measured."""
    return "\n".join(_lines(validation))


def _lines(validation: Validation) -> Iterator[str]:
    if validation.measures is None or validation.intervals is None or validation.card_precision_100 is None:
        yield _NOTHING
        return
    yield _HEAD
    for week in validation.weeks:
        yield _row(_begin(week), (week.learnt, week.learnt_frauds, week.rows, week.frauds), _week(week))
    yield _row("mean", (), f"{_numbers(validation.measures)}   {validation.card_precision_100:.3f}")
    yield from _ends(validation.intervals)
    for segment in validation.segments:
        yield _row(segment.name, (segment.rows, segment.frauds), _segment(segment))
    yield from _comparison("rules alone", validation.against_rules)
    yield from _comparison("champion", validation.against_champion)
    if validation.approve_all is not None and validation.as_decided is not None:
        yield "cost in minor units, had everything been approved, and as it was decided"
        yield f"  {'approved':12} {_cost(validation.approve_all)}"
        yield f"  {'as decided':12} {_cost(validation.as_decided)}"


def _row(name: str, counts: tuple[int, ...], numbers: str) -> str:
    shown = "".join(f" {count:>{10 - 2 * (at % 2)},}" for at, count in enumerate(counts))
    return f"{name:23}{shown:>40}  {numbers}"


def _begin(week: Week) -> str:
    return f"{datetime.fromtimestamp(week.begin_ms / 1000, UTC):from %Y-%m-%d %H:%M}"


def _week(week: Week) -> str:
    return f"{_numbers(week.measures)}   {week.card_precision_100:.3f}"


def _segment(segment: Segment) -> str:
    return "not measurable" if segment.measures is None else _numbers(segment.measures)


def _ends(intervals: MeasureIntervals) -> Iterator[str]:
    ends = (intervals.auc_roc, intervals.average_precision, intervals.recall_at_1pct_fpr)
    yield _row("95 % from", (), "  ".join("  –  " if each is None else f"{each.low:.3f}" for each in ends))
    yield _row("to", (), "  ".join("  –  " if each is None else f"{each.high:.3f}" for each in ends))


def _comparison(name: str, comparison: Comparison | None) -> Iterator[str]:
    if comparison is None:
        return
    yield _row(name, (comparison.rows, comparison.frauds), _numbers(comparison.other))
    yield _row("  the model there", (), _numbers(comparison.model))
    yield f"  AP {comparison.difference.average_precision:+.3f}{_range(comparison.intervals.average_precision)}"
    if costs := comparison.costs:
        yield f"  cost in minor units of {costs.reviews:,} reviews and of the fraud that they miss"
        yield f"  {name:12} {_cost(costs.other)}"
        yield f"  {'the model':12} {_cost(costs.model)}"


def _numbers(measures: Measures) -> str:
    return f"{measures.auc_roc:.3f}  {measures.average_precision:.3f}  {measures.recall_at_1pct_fpr:.3f}"


def _range(ends: Interval | None) -> str:
    return "" if ends is None else f", 95 % from {ends.low:+.3f} to {ends.high:+.3f}"


def _cost(cost: Cost) -> str:
    return (
        f"{cost.total:>15,} = {cost.fraud:,} fraud let through + {cost.reviews:,} for reviews"
        f" + {cost.declines:,} margin of good ones declined"
    )
