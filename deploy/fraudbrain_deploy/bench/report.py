"""What a run of the bench found: ratios, curves, and the raw figures behind them; as a table and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

import msgspec

from fraudbrain_deploy.bench.machine import Machine
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.histogram import Quantiles
from fraudbrain_shared.testing.alternating import ratio


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio, the median of the rounds', with both raw figures, and what it must and should be.

    It must be at least that, or where it `is_cost` at most. A row without raw figures is no ratio but a figure with
    a bound of its own; its name says the unit.
    """

    name: str
    theirs_us: float | None = None
    ours_us: float | None = None
    ratio: float
    must: float | None = None
    aim: float | None = None
    is_cost: bool = False

    @property
    def is_missed(self) -> bool:
        return self.must is not None and not self.reaches(self.must)

    def reaches(self, bound: float) -> bool:
        """Whether the ratio is as good as the bound, or better."""
        return self.ratio <= bound if self.is_cost else self.ratio >= bound


def compared(
    name: str,
    theirs: Sequence[float],
    ours: Sequence[float],
    *,
    must: float | None = None,
    aim: float | None = None,
    is_cost: bool = False,
) -> Row:
    """The row of two things measured in the same rounds, microseconds of each round: how many times as long as ours
    theirs takes, or, where it `is_cost`, ours as theirs."""
    above, below = (ours, theirs) if is_cost else (theirs, ours)
    return Row(
        name=name,
        theirs_us=median(theirs),
        ours_us=median(ours),
        ratio=ratio(above, below),
        must=must,
        aim=aim,
        is_cost=is_cost,
    )


class Breakdown(msgspec.Struct, frozen=True, kw_only=True):
    """What something is made of: microseconds of each part and of the whole as it runs in one go."""

    name: str
    parts_us: dict[str, float]
    whole_us: float


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """How a cost grows: microseconds by size, and what they should be by `formula`."""

    name: str
    formula: str
    us: dict[int, float]
    should_us: dict[int, float]


class LatencyTable(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took at each of several rates (events a second)."""

    name: str
    by_rate: dict[int, Quantiles]


class StretchTable(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took in each of several stretches of one run, by what happened in it."""

    name: str
    by_stretch: dict[str, Quantiles]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A run. `rounds_us` holds each round's microseconds, by what was measured; `facts` say what the work was."""

    machine: Machine
    versions: dict[str, str]
    rows: list[Row]
    curves: list[Curve]
    rounds_us: dict[str, list[float]]
    facts: list[str]
    breakdowns: list[Breakdown] = []
    tables: list[LatencyTable] = []
    stretches: list[StretchTable] = []


def joined(one: Report, other: Report) -> Report:
    """The reports of two parts as one, on the first's machine."""
    return Report(
        machine=one.machine,
        versions=one.versions | other.versions,
        rows=one.rows + other.rows,
        curves=one.curves + other.curves,
        rounds_us=one.rounds_us | other.rounds_us,
        facts=one.facts + other.facts,
        breakdowns=one.breakdowns + other.breakdowns,
        tables=one.tables + other.tables,
        stretches=one.stretches + other.stretches,
    )


_SIGN = {False: "≥", True: "≤"}


def read_report(path: Path) -> Report:
    """A run that was stored with `--json`. Raises UserError where the file is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError) as error:
        remedy = "Store a run with `fraudbrain bench --json`."
        raise UserError(f"{path} is no stored run: {error}.", remedy) from error


def page(report: Report, earlier: Report | None = None) -> str:
    """The run for people; beside an `earlier` one, how each ratio has changed since."""
    machine = report.machine
    lines = [
        f"{machine.cores} cores, {machine.processor}, {machine.system}, {machine.python}, load before {machine.load}",
        ", ".join([f"fraudbrain {machine.fraudbrain}", *(f"{name} {each}" for name, each in report.versions.items())]),
        *report.facts,
        "",
        *_rows(report.rows, _ratios(earlier)),
    ]
    for breakdown in report.breakdowns:
        lines += ["", *_breakdown(breakdown)]
    for table in report.tables:
        by_rate = {f"{per_s:,}": ms for per_s, ms in table.by_rate.items()}
        lines += ["", *_table(table.name, "events/s", by_rate)]
    for each in report.stretches:
        lines += ["", *_table(each.name, "", each.by_stretch)]
    for curve in report.curves:
        lines += ["", *_curve(curve)]
    return "\n".join(lines)


def _ratios(report: Report | None) -> Mapping[str, float]:
    return {row.name: row.ratio for row in report.rows} if report else {}


def _rows(rows: Sequence[Row], earlier: Mapping[str, float]) -> Iterator[str]:
    if not rows:
        return
    width = max(len(row.name) for row in rows)
    since = f" {'then':>8} {'change':>7}" if earlier else ""
    yield f"{'':{width}}  {'theirs':>9} {'ours':>9} {'ratio':>8}{since}  {'must':>7} {'aim':>7}"
    for row in rows:
        figures = f"{_us(row.theirs_us)} {_us(row.ours_us)} {_ratio(row.ratio)}{_change(row, earlier)}"
        bounds = f"{_bound(row, row.must)} {_bound(row, row.aim)}"
        yield f"{row.name:{width}}  {figures}  {bounds}  {_verdict(row)}".rstrip()


def _us(value: float | None) -> str:
    if value is None:
        return f"{'':9}"
    return f"{value:6.2f} µs" if value < 1_000 else f"{value / 1_000:6.2f} ms"


def _ratio(value: float) -> str:
    """Two digits after the point where they count; what is tiny by its power of ten."""
    return f"{value:8.1f}" if value >= 10 or value == 0 else f"{value:8.2f}" if value >= 0.01 else f"{value:8.1e}"


def _change(row: Row, earlier: Mapping[str, float]) -> str:
    if not earlier:
        return ""
    then = earlier.get(row.name)
    if then is None:
        return f" {'–':>8} {'–':>7}"
    return f" {_ratio(then)} {f'{row.ratio / then - 1:+.0%}' if then else '–':>7}"


def _bound(row: Row, value: float | None) -> str:
    return f"{'':7}" if value is None else f"{f'{_SIGN[row.is_cost]} {value:g}':>7}"


def _verdict(row: Row) -> str:
    if row.is_missed:
        return "MISSED"
    if row.aim is not None and row.reaches(row.aim):
        return "aim reached"
    return "" if row.must is None else "ok"


def _breakdown(breakdown: Breakdown) -> Iterator[str]:
    parts = breakdown.parts_us | {"sum": sum(breakdown.parts_us.values()), "whole": breakdown.whole_us}
    yield breakdown.name
    yield "".join(f"{name:>10}" for name in parts)
    yield "".join(f"{us:10.2f}" for us in parts.values())


def _table(name: str, of: str, quantiles: Mapping[str, Quantiles]) -> Iterator[str]:
    width = max(10, *map(len, quantiles))
    yield name
    yield f"{of:>{width}}" + "".join(f"{each:>10}" for each in ("p50", "p99", "p99.9", "max"))
    for label, ms in quantiles.items():
        yield f"{label:>{width}}" + "".join(f"{each:10.1f}" for each in (ms.p50, ms.p99, ms.p99_9, ms.max))


def _curve(curve: Curve) -> Iterator[str]:
    yield f"{curve.name}; should be {curve.formula}"
    yield f"{'':10}{''.join(f'{size:>10,}' for size in curve.us)}"
    yield f"{'µs':10}{''.join(f'{us:10.2f}' for us in curve.us.values())}"
    yield f"{'should be':10}{''.join(f'{us:10.2f}' for us in curve.should_us.values())}"
