"""Run seeds of the simulator: `python -m tests.faults.simulator --seeds 20000 --processes 2 --mutants`."""

import argparse
import json
import sys
import time
from pathlib import Path
from random import SystemRandom
from typing import Final

FRESH_BELOW: Final = 10**12
SHOWN_AT_MOST: Final = 20


def main() -> None:
    """Do what the command line says; end with 1 if a seed failed or a mutant lives."""
    arguments = _parser().parse_args()
    if arguments.seed is not None:
        sys.exit(show(arguments.seed, is_verbose=arguments.verbose))
    start = SystemRandom().randrange(FRESH_BELOW) if arguments.start is None else arguments.start
    report = {"from": start, "seeds": arguments.seeds}
    is_well = run_seeds(start, arguments.seeds, arguments.processes, report)
    if arguments.mutants:
        is_well &= kill_mutants(arguments.processes, report)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    sys.exit(0 if is_well else 1)


def show(seed: int, *, is_verbose: bool) -> int:
    """One seed, with all that happens in it if so wished."""
    from tests.faults.simulator.campaign import quiet
    from tests.faults.simulator.run import run

    quiet()
    wrong = run(seed, print if is_verbose else None)
    for each in wrong:
        print(each)
    print(f"seed {seed}: {'fails' if wrong else 'nothing is wrong'}")
    return 1 if wrong else 0


def run_seeds(start: int, count: int, processes: int, report: dict[str, object]) -> bool:
    """Fresh seeds; whether nothing is wrong with any."""
    from tests.faults.simulator.campaign import failures

    print(f"simulator: {count} seeds from {start} on, {processes} processes", flush=True)
    began, done = time.monotonic(), 0

    def more(how_many: int) -> None:
        nonlocal done
        done += how_many
        passed_s = time.monotonic() - began
        left_s = passed_s / done * (count - done)
        print(f"\r  {done} of {count}, {done / passed_s:.0f} a second, {left_s:.0f} s left ", end="", file=sys.stderr)

    failed = failures(range(start, start + count), processes, more)
    seconds = time.monotonic() - began
    print(file=sys.stderr)
    print(f"simulator: {len(failed)} of {count} seeds failed, {seconds:.0f} s")
    for seed, wrong in failed[:SHOWN_AT_MOST]:
        print(f"  seed {seed}: {wrong[0]}")
    if failed:
        print(f"to see one: python -m tests.faults.simulator --seed {failed[0].seed} --verbose")
    report |= {"failed": {str(each.seed): each.wrong for each in failed}, "seconds": round(seconds, 1)}
    return not failed


def kill_mutants(processes: int, report: dict[str, object]) -> bool:
    """Each mutant on the seeds from 0 on, so that what kills it today does tomorrow; whether all die."""
    from tests.faults.simulator.campaign import kills

    killed_after: dict[str, int | None] = {}
    for name, failure, tried in kills(0, processes):
        how = f"LIVES after {tried} seeds" if failure is None else f"killed by seed {tried}: {failure.wrong[0][:60]}"
        print(f"  {name}: {how}", flush=True)
        killed_after[name] = None if failure is None else tried
    alive = [name for name, after in killed_after.items() if after is None]
    print(f"mutants: {len(killed_after) - len(alive)} of {len(killed_after)} killed")
    report["mutants_killed_by_seed"] = dict(sorted(killed_after.items()))
    return not alive


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.simulator", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many, one after the other (default 1000)")
    parser.add_argument("--from", dest="start", type=int, help="the first of them; a fresh one if not told")
    parser.add_argument("--seed", type=int, help="only this one, again")
    parser.add_argument("--verbose", action="store_true", help="with --seed: print all that happens")
    parser.add_argument("--mutants", action="store_true", help="then see that every mutant of the code is killed")
    parser.add_argument("--processes", type=int, default=1, help="at the same time (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found to a file")
    return parser


if __name__ == "__main__":
    main()
