"""What a campaign found, for people and as a record."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import compress
from typing import Final

import msgspec

from fraudbrain_deploy.faults import kinds
from fraudbrain_deploy.faults.checker import INVARIANTS, Repeat, Timing
from fraudbrain_deploy.faults.injection import Injected

BOUND_S: Final = 0.5 + 1.5
"""Between flushes, and what is on its way: older decisions than this are not made again after a kill."""

_SETTLED_MS: Final = 10_000
_ON_ITS_WAY_MS: Final = 100


class Spread(msgspec.Struct, frozen=True):
    """The middle, a high and the highest of some figures."""

    count: int
    p50: float
    p95: float
    most: float


class Costs(msgspec.Struct, frozen=True):
    """What faults cost. Seconds; `standstill_s` is the longest time without a decision in a partition of the group
    around each kill, `takeover_s` the same of kills that stand alone: nothing else was spoilt shortly before and
    until it was over. `any_group_s` is the standstill where the other group's decision ends it.

    `repeats` are decisions that were made again, by the fault between the first time and the repetition: `several`
    where there was more than one, `nothing` where none was, as when a worker comes back. `repeats_per_kill` count
    those of one kill alone; `repeated_age_s` is how long before the kill the oldest of them was first made, of kills
    that stand alone, and `kills_over_bound` how many exceeded `BOUND_S`.
    """

    takeover_s: Spread | None
    standstill_s: Spread | None
    any_group_s: Spread | None
    repeats: dict[str, int]
    repeats_per_kill: Spread | None
    repeated_age_s: Spread | None
    kills_over_bound: int


class Report(msgspec.Struct, frozen=True):
    """A campaign and its judgement. `endings` count how records ended, and what else is worth knowing."""

    seed: int
    events: int
    groups: list[str]
    workers: int
    cores: int
    faults: dict[str, int]
    worker_exits: dict[str, int]
    skipped: list[str]
    endings: dict[str, int]
    violations: dict[str, int]
    examples: dict[str, list[str]]
    costs: Costs
    seconds: dict[str, float]
    events_per_s: int
    injected: list[Injected]

    @property
    def clean(self) -> bool:
        """Whether the judge found nothing wrong."""
        return not self.violations


def costs(injected: Sequence[Injected], timing: Timing, groups: Sequence[str]) -> Costs:
    """What the faults cost, from when decisions were appended."""
    faults = [each for each in sorted(injected, key=lambda each: each.at_ms) if each.kind != kinds.CONTROLS]
    kills = [each for each in faults if each.kind == kinds.KILL]
    repeats: Counter[str] = Counter()
    after_kill: defaultdict[int, list[float]] = defaultdict(list)
    for repeat in timing.repeats:
        causes = _causes(faults, repeat)
        cause = causes[0] if len(causes) == 1 else None
        repeats["nothing" if not causes else "several" if cause is None else cause.kind] += 1
        if cause is not None and cause.kind == kinds.KILL:
            after_kill[cause.at_ms].append(max(0.0, (cause.at_ms - repeat.first_ms) / 1000))
    stood = [timing.longest_gap_ms(kill.group, kill.at_ms + 100) / 1000 for kill in kills]
    alone = [_is_alone(kill, faults, seconds) for kill, seconds in zip(kills, stood, strict=True)]
    ages = [max(after_kill[kill.at_ms]) for kill in compress(kills, alone) if after_kill[kill.at_ms]]
    return Costs(
        takeover_s=_spread(list(compress(stood, alone))),
        standstill_s=_spread(stood),
        any_group_s=_spread([timing.longest_gap_of_all_ms(kill.at_ms + 100) / 1000 for kill in kills])
        if len(groups) > 1
        else None,
        repeats=dict(repeats),
        repeats_per_kill=_spread([float(len(after_kill[kill.at_ms])) for kill in kills]),
        repeated_age_s=_spread(ages),
        kills_over_bound=sum(age > BOUND_S for age in ages),
    )


def _causes(faults: Sequence[Injected], repeat: Repeat) -> list[Injected]:
    """The faults between the first time and the repetition, any of which may have brought it about."""
    return [
        each
        for each in faults
        if each.at_ms <= repeat.again_ms
        and max(each.at_ms, each.until_ms) >= repeat.first_ms - _ON_ITS_WAY_MS
        and each.group in ("", repeat.group)
    ]


def _is_alone(kill: Injected, faults: Sequence[Injected], stood_s: float) -> bool:
    """Whether from shortly before a kill until its standstill was over nothing else had to do with it."""
    begin, end = kill.at_ms - _SETTLED_MS, kill.at_ms + stood_s * 1000
    return not any(
        each.at_ms <= end and max(each.at_ms, each.until_ms) >= begin and each.group in ("", kill.group)
        for each in faults
        if each is not kill
    )


def _spread(values: list[float]) -> Spread | None:
    if not values:
        return None
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return Spread(len(ordered), ordered[len(ordered) // 2], high, ordered[-1])


def page(report: Report) -> str:
    """The report for people."""
    faults = ", ".join(f"{count} {kind}" for kind, count in sorted(report.faults.items()))
    endings = ", ".join(f"{count:,} {name}" for name, count in sorted(report.endings.items()))
    exits = ", ".join(f"{count} {how}" for how, count in report.worker_exits.items()) or "none"
    found = report.costs
    repeats = ", ".join(f"{count} after {kind}" for kind, count in found.repeats.items()) or "none"
    rows = [
        ("seed", str(report.seed)),
        ("events", f"{report.events:,} at {report.events_per_s:,}/s; {report.workers} workers in each group"),
        ("faults", faults),
        *([("not injected", ", ".join(report.skipped))] if report.skipped else []),
        ("ended by itself", exits),
        ("endings", endings),
        ("takeover", f"{_seconds(found.takeover_s)}; of all kills {_seconds(found.standstill_s)}"),
        *([("any group", _seconds(found.any_group_s))] if found.any_group_s else []),
        (
            "repeated",
            f"{repeats}; age at a kill {_seconds(found.repeated_age_s)}; {found.kills_over_bound} over {BOUND_S:.0f} s",
        ),
    ]
    lines = [f"  {name:<16} {value}" for name, value in rows]
    for invariant, says in INVARIANTS.items():
        count = report.violations.get(invariant, 0)
        lines.append(f"  {'✗' if count else '✓'} {invariant} {says}{f': {count:,} violations' if count else ''}")
        lines += [f"      {example}" for example in report.examples.get(invariant, ())]
    return "\n".join(["", *lines, ""])


def _seconds(spread: Spread | None) -> str:
    if spread is None:
        return "not measured"
    return f"of {spread.count} p50 {spread.p50:.1f} s, p95 {spread.p95:.1f} s, at most {spread.most:.1f} s"
