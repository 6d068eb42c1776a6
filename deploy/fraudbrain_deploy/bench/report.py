"""What a run of the bench found: ratios, curves, and the raw figures behind them; as a table and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from fraudbrain_deploy.bench.machine import Machine
from fraudbrain_deploy.errors import UserError


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio of two medians' rounds, the more the better, and what it must and should be at least."""

    name: str
    theirs_us: float
    ours_us: float
    ratio: float
    must: float | None = None
    aim: float | None = None

    @property
    def is_missed(self) -> bool:
        return self.must is not None and self.ratio < self.must


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """How a cost grows: microseconds by size, and what they should be by `formula`."""

    name: str
    formula: str
    us: dict[int, float]
    should_us: dict[int, float]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A run. `rounds_us` holds each round's microseconds, by what was measured; `facts` say what the work was."""

    machine: Machine
    versions: dict[str, str]
    rows: list[Row]
    curves: list[Curve]
    rounds_us: dict[str, list[float]]
    facts: list[str]


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
    for curve in report.curves:
        lines += ["", *_curve(curve)]
    return "\n".join(lines)


def _ratios(report: Report | None) -> Mapping[str, float]:
    return {row.name: row.ratio for row in report.rows} if report else {}


def _rows(rows: Sequence[Row], earlier: Mapping[str, float]) -> Iterator[str]:
    if not rows:
        return
    width = max(len(row.name) for row in rows)
    since = f" {'then':>7} {'change':>7}" if earlier else ""
    yield f"{'':{width}}  {'theirs':>9} {'ours':>9} {'ratio':>7}{since}  {'must':>5} {'aim':>5}"
    for row in rows:
        figures = f"{row.theirs_us:6.2f} µs {row.ours_us:6.2f} µs {row.ratio:7.1f}{_change(row, earlier)}"
        yield f"{row.name:{width}}  {figures}  {_bound(row.must)} {_bound(row.aim)}  {_verdict(row)}".rstrip()


def _change(row: Row, earlier: Mapping[str, float]) -> str:
    if not earlier:
        return ""
    then = earlier.get(row.name)
    return f" {'–':>7} {'–':>7}" if then is None else f" {then:7.1f} {row.ratio / then - 1:+7.0%}"


def _bound(value: float | None) -> str:
    return f"{'':5}" if value is None else f"{f'≥ {value:g}':>5}"


def _verdict(row: Row) -> str:
    if row.is_missed:
        return "MISSED"
    if row.aim is not None and row.ratio >= row.aim:
        return "aim reached"
    return "" if row.must is None else "ok"


def _curve(curve: Curve) -> Iterator[str]:
    yield f"{curve.name}; should be {curve.formula}"
    yield f"{'':10}{''.join(f'{size:>9,}' for size in curve.us)}"
    yield f"{'µs':10}{''.join(f'{us:9.2f}' for us in curve.us.values())}"
    yield f"{'should be':10}{''.join(f'{us:9.2f}' for us in curve.should_us.values())}"
