"""`fraudbrain faults run`: break things on purpose, and prove that nothing was lost."""

import argparse
from pathlib import Path

from fraudbrain_deploy.faults.kinds import KINDS, REDIS
from fraudbrain_deploy.options import natural

_DEFAULT = tuple(kind for kind in KINDS if kind != REDIS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    run_ = actions.add_parser(
        "run",
        help="a campaign on real parts, judged afterwards",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Starts a broker and HBase of its own, workers of the fast tier and a flow of events; kills,\n"
        "stops and spoils what --faults names, at times drawn from the seed; mends all, waits until everything\n"
        "is decided, and judges every record and every profile. Exit code 1: something was wrong.",
        epilog="faults:\n" + "\n".join(f"  {kind:<12} {says}" for kind, says in KINDS.items()),
    )
    run_.add_argument("--events", type=natural, default=100_000, metavar="N", help="records (default: 100,000)")
    run_.add_argument("--kills", type=natural, default=10, metavar="N", help="kill -9 of workers (default: 10)")
    run_.add_argument("--stops", type=natural, default=4, metavar="N", help="SIGSTOP of workers (default: 4)")
    run_.add_argument("--seed", type=int, default=None, metavar="S", help="draws events and faults (default: new)")
    told = ",".join(_DEFAULT)
    run_.add_argument("--faults", type=_kinds, default=_DEFAULT, metavar="A,B", help=f"which kinds (default: {told})")
    run_.add_argument("--groups", type=int, choices=(1, 2), default=1, help="of two workers each (default: 1)")
    run_.add_argument("--keep", action="store_true", help="leave the data of broker and store, to look at")
    run_.add_argument("--json", type=Path, metavar="FILE", help="write the report there, each fault with its time")


def run(arguments: argparse.Namespace) -> int:
    """Runs a campaign; 0 if nothing was wrong, else 1."""
    import msgspec

    from fraudbrain_deploy.faults.campaign import Wishes, campaign
    from fraudbrain_deploy.faults.report import page
    from fraudbrain_deploy.steps import Steps

    wishes = Wishes(
        events=arguments.events,
        kills=arguments.kills,
        stops=arguments.stops,
        seed=_new_seed() if arguments.seed is None else arguments.seed,
        kinds=arguments.faults,
        groups=arguments.groups,
        keep=arguments.keep,
    )
    print(f"seed {wishes.seed}", flush=True)
    report = campaign(arguments.data / "faults", wishes, Steps())
    if arguments.json is not None:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    print(page(report))
    return 0 if report.clean else 1


def _new_seed() -> int:
    import secrets

    return secrets.randbelow(1_000_000)


def _kinds(text: str) -> tuple[str, ...]:
    found = tuple(each for each in text.split(",") if each)
    if unknown := set(found) - set(KINDS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: no such fault; there are {', '.join(KINDS)}")
    return found
