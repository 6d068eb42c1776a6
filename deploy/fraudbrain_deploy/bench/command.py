"""`fraudbrain bench`: measures, and prints one table."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fraudbrain_deploy.display import status_line

if TYPE_CHECKING:
    from fraudbrain_deploy.bench.machine import Machine
    from fraudbrain_deploy.bench.report import Report

PARTS = ("rules", "core", "fast")
DEFAULT_SUBJECTS = 100_000
MANY = 15
"""Rounds of what takes moments."""
# Of rules and core with their peers, on two cores: what is made ready, and what a round takes at 0.05 s each.
_RULES_S, _RULES_ROUND_S = 30.0, 2.0
_CORE_S, _CORE_ROUND_S = 120.0, 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is measured, how long, and what it is compared with."""
    parser.description = (
        "Measures speed as ratios between two things in the same run, alternating, the median of the rounds. Exit "
        "code 1: a ratio is below what it must be."
    )
    parser.add_argument("part", nargs="?", choices=PARTS, help="only this part (default: all)")
    parser.add_argument("--rounds", type=int, metavar="N", help="at least 3 (default: 15 of rules and core, 3 of fast)")
    parser.add_argument("--slice-s", type=float, default=0.05, metavar="S", help="of each engine in a round (0.05)")
    parser.add_argument(
        "--subjects", type=int, default=DEFAULT_SUBJECTS, metavar="N", help="most of them (default: 100,000)"
    )
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="of each rate of the fast tier (default: 5, with --full 15)"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="all of the fast tier: windows of ten minutes, a million subjects, uniform ones, the slow tier beside it "
        "(in all at most 75 minutes, else at most 20)",
    )
    parser.add_argument("--no-peers", action="store_true", help="measure ours alone; nothing is installed")
    parser.add_argument("--against", type=Path, metavar="FILE", help="a stored run (--json) to compare ratios with")
    parser.add_argument("--json", action="store_true", help="the table with all rounds as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Installs the peers if need be, measures and prints."""
    import msgspec

    from fraudbrain_deploy.bench.machine import this_machine
    from fraudbrain_deploy.bench.report import Report, joined, page, read_report
    from fraudbrain_deploy.errors import UserError

    if arguments.rounds is not None and arguments.rounds < 3:
        raise UserError("A median of fewer than three rounds says nothing.", "Use --rounds 3 or more.")
    if arguments.seconds is not None and arguments.seconds <= 0:
        raise UserError("A measurement takes time.", "Use --seconds above 0.")
    if arguments.subjects < 1:
        raise UserError("There must be a subject.", "Use --subjects 1 or more.")
    earlier = read_report(arguments.against) if arguments.against else None
    report = Report(machine=this_machine(), versions={}, rows=[], curves=[], rounds_us={}, facts=[])
    parts = (arguments.part,) if arguments.part else PARTS
    print(f"This takes about {_estimated_s(arguments, parts) / 60:.0f} minutes.", file=sys.stderr)
    for part in parts:
        report = joined(report, _MEASURE[part](arguments, report.machine))
    status_line("")
    print(msgspec.json.encode(report).decode() if arguments.json else page(report, earlier))
    return 1 if any(row.is_missed for row in report.rows) else 0


def _estimated_s(arguments: argparse.Namespace, parts: Sequence[str]) -> float:
    from fraudbrain_deploy.bench.fast.extent import extent

    rounds = arguments.rounds or MANY
    fast = extent(full=arguments.full, seconds=arguments.seconds, rounds=arguments.rounds)
    each = {
        "rules": _RULES_S + rounds * _RULES_ROUND_S,
        "core": _CORE_S + rounds * _CORE_ROUND_S,
        "fast": fast.estimated_s,
    }
    return sum(each[part] for part in parts)


def _rules(arguments: argparse.Namespace, machine: "Machine") -> "Report":
    from fraudbrain_deploy.bench.peers import peers_folder
    from fraudbrain_deploy.bench.report import Report
    from fraudbrain_deploy.bench.rules import bench

    if not arguments.no_peers:
        status_line("the peers are made ready")
    peers = None if arguments.no_peers else peers_folder(arguments.data)
    found = bench.run(peers, rounds=arguments.rounds or MANY, slice_s=arguments.slice_s, tell=status_line)
    return Report(
        machine=machine,
        versions=found.versions,
        rows=list(bench.rows(found)),
        curves=[bench.curve(found)],
        rounds_us=bench.rounds_us(found),
        facts=bench.facts(found),
    )


def _core(arguments: argparse.Namespace, machine: "Machine") -> "Report":
    from fraudbrain_deploy.bench.core import bench
    from fraudbrain_deploy.bench.report import Report

    found = bench.run(
        None if arguments.no_peers else arguments.data,
        subjects=arguments.subjects,
        rounds=arguments.rounds or MANY,
        slice_s=arguments.slice_s,
        tell=status_line,
    )
    return Report(
        machine=machine,
        versions=bench.versions(found),
        rows=list(bench.rows(found)),
        curves=list(bench.curves(found)),
        rounds_us=bench.rounds_us(found),
        facts=bench.facts(found),
        breakdowns=[bench.breakdown(found)],
    )


def _fast(arguments: argparse.Namespace, machine: "Machine") -> "Report":
    from fraudbrain_deploy.bench.fast import bench, report
    from fraudbrain_deploy.bench.fast.extent import extent
    from fraudbrain_deploy.bench.report import Report

    wanted = extent(full=arguments.full, seconds=arguments.seconds, rounds=arguments.rounds)
    found = bench.run(subjects=arguments.subjects, extent=wanted, tell=status_line)
    return Report(
        machine=machine,
        versions=report.versions(),
        rows=list(report.rows(found)),
        curves=[],
        rounds_us=report.rounds_us(found),
        facts=report.facts(found),
        tables=list(report.tables(found)),
        stretches=list(report.stretches(found)),
    )


_MEASURE = {"rules": _rules, "core": _core, "fast": _fast}
