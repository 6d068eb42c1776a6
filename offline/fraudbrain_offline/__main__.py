"""The offline tier's own command: `python -m fraudbrain_offline lake|train|promote|bench`."""

import argparse
import signal
import sys
import threading
from pathlib import Path

import msgspec

FAILED = 1


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code: 0 done, 1 could not be done."""
    options = _parser().parse_args(arguments)
    code: int = options.run(options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fraudbrain_offline", description="The offline tier of fraudbrain.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_lake(commands.add_parser("lake", help="show what the lake holds: rows, dates and distinct events by table"))
    _add_train(
        commands.add_parser(
            "train",
            help="train a model on what was known at a time, and register it",
            description="Prints one line of JSON: the new version with rows, frauds, metrics and validation, or "
            '{"skipped": reason} where there is nothing to learn from yet; both are exit code 0. '
            "How the model did in validation is told on standard error as a table.",
        )
    )
    _add_promote(
        commands.add_parser(
            "promote",
            help="publish the version that carries the alias `champion`, if it passes the checks",
            description="Prints a line of JSON for each change. A version that does not pass is tagged with the "
            "reason in the registry, and what was live stays live.",
        )
    )
    _add_bench(
        commands.add_parser(
            "bench",
            help="measure how fast one row is scored, beside XGBoost",
            description="Trains the scenario's model on what decisions on the events log, writes its sealed release, "
            "and prints one line of JSON: each round's microseconds, and how far the scores are apart at most.",
        )
    )
    return parser


def _add_lake(parser: argparse.ArgumentParser) -> None:
    _add_lake_folder(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=_lake)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as-of", required=True, type=int, metavar="MS", help="the cut: event time, UTC milliseconds")
    _add_lake_folder(parser)
    _add_place(parser)
    parser.add_argument("--bootstrap", metavar="HOST:PORT", help="a Kafka broker, to tell progress on")
    parser.add_argument("--set-champion", action="store_true", help="let the new version decide")
    parser.set_defaults(run=_train)


def _add_promote(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--once", action="store_true", help="look once")
    how.add_argument("--follow", action="store_true", help="look every 2 s until told to stop")
    _add_place(parser)
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT", help="a Kafka broker")
    parser.set_defaults(run=_promote)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", required=True, metavar="NAME|DIR", help="the scenario: built in, or a folder")
    parser.add_argument("--events", required=True, type=Path, metavar="FILE", help="events as lines of JSON")
    parser.add_argument("--release", required=True, type=Path, metavar="FILE", help="where the release is written")
    parser.add_argument("--rounds", required=True, type=int, metavar="N", help="how often both take turns")
    parser.add_argument("--slice-s", required=True, type=float, metavar="S", help="seconds of each in a round")
    parser.set_defaults(run=_bench)


def _add_lake_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lake", required=True, type=Path, metavar="DIR", help="folder of the lake's tables")


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", required=True, metavar="NAME|DIR", help="the scenario: built in, or a folder")
    parser.add_argument("--space", required=True, help="what the names of topics and of the model carry")
    parser.add_argument("--registry", required=True, metavar="URL", help="MLflow's server")


def _lake(options: argparse.Namespace) -> int:
    from fraudbrain_offline.lake import LakeUnreadable, summarize

    try:
        tables = summarize(options.lake)
    except LakeUnreadable as error:
        print(error, file=sys.stderr)
        return FAILED
    if options.json:
        print(msgspec.json.encode(tables).decode())
        return 0
    print(f"{'table':13} {'rows':>12} {'first date':>11} {'last date':>11} {'distinct events':>16}")
    for name, table in tables.items():
        first, last = (str(day or "–") for day in (table.first_date, table.last_date))
        events = "–" if table.distinct_events is None else f"{table.distinct_events:,}"
        print(f"{name:13} {table.rows:>12,} {first:>11} {last:>11} {events:>16}")
    return 0


def _train(options: argparse.Namespace) -> int:
    from fraudbrain_offline.commands import train
    from fraudbrain_offline.settings import TrainSettings
    from fraudbrain_offline.validation_table import as_table

    settings = TrainSettings(
        scenario=options.scenario,
        space=options.space,
        registry=options.registry,
        lake=options.lake,
        as_of_ms=options.as_of,
        set_champion=options.set_champion,
        bootstrap=options.bootstrap,
    )
    try:
        found = train(settings)
        if "validation" in found:
            print(as_table(found["validation"]), file=sys.stderr)
        _print(found)
    except _known_errors() as error:
        print(error, file=sys.stderr)
        return FAILED
    return 0


def _promote(options: argparse.Namespace) -> int:
    from fraudbrain_offline.commands import promote, promote_once
    from fraudbrain_offline.settings import PromoteSettings

    settings = PromoteSettings(
        scenario=options.scenario, space=options.space, registry=options.registry, bootstrap=options.bootstrap
    )
    try:
        if options.once:
            _print(promote_once(settings))
        else:
            promote(settings, _stop_signal(), _print)
    except _known_errors() as error:
        print(error, file=sys.stderr)
        return FAILED
    return 0


def _bench(options: argparse.Namespace) -> int:
    from fraudbrain_offline.scoring_bench import measure

    found = measure(
        options.scenario,
        options.events,
        options.release,
        rounds=options.rounds,
        slice_s=options.slice_s,
        tell=lambda text: print(text, file=sys.stderr, flush=True),
    )
    _print(found)
    return 0


def _known_errors() -> tuple[type[Exception], ...]:
    from fraudbrain_offline.kafka import BrokerProblem
    from fraudbrain_offline.lake import LakeUnreadable
    from fraudbrain_offline.mlflow_api import RegistryProblem
    from fraudbrain_offline.trees import UnsupportedModel
    from fraudbrain_shared.models import ReleaseError
    from fraudbrain_shared.scenario.problems import ScenarioError

    return (ScenarioError, LakeUnreadable, RegistryProblem, BrokerProblem, ReleaseError, UnsupportedModel)


def _stop_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _print(record: object) -> None:
    print(msgspec.json.encode(record).decode(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
