"""The slow tier's own command: `python -m fraudbrain_streaming run|decision`."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from fraudbrain_shared.logs import add_log_arguments, set_up
from fraudbrain_shared.scenario.durations import milliseconds

FAILED = 1
NOT_FOUND = 1
UNAVAILABLE = 2
JOBS = ("archive", "loop")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    code: int = options.run(options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fraudbrain_streaming", description="The slow tier of fraudbrain.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(
        commands.add_parser(
            "run", help="run the jobs over a space until SIGTERM or SIGINT; JAVA_HOME must name a Java 17"
        )
    )
    _add_decision(commands.add_parser("decision", help="an event and its effective decision as they are stored"))
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_run)
    parser.add_argument("--scenario", required=True, metavar="NAME_OR_DIR", help="built-in scenario, or a folder")
    parser.add_argument("--space", required=True, help="what the names of topics and tables carry")
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT", help="a Kafka broker")
    parser.add_argument("--thrift", required=True, metavar="HOST:PORT", help="HBase's Thrift gateway")
    parser.add_argument("--lake", required=True, type=Path, metavar="DIR", help="folder of the lake's tables")
    parser.add_argument("--checkpoints", required=True, type=Path, metavar="DIR", help="folder of Spark's checkpoints")
    parser.add_argument("--jars", required=True, type=_paths, metavar="JAR,JAR…", help="Spark's Kafka connector")
    parser.add_argument(
        "--trigger", default="1s", type=_trigger, metavar="TIME", help="shortest time from batch to batch (default 1s)"
    )
    parser.add_argument(
        "--records-per-batch", default=60_000, type=int, metavar="N", help="most records in a batch (default 60000)"
    )
    parser.add_argument(
        "--jobs", default=JOBS, type=_jobs, metavar="JOB,JOB…", help=f"what is to run (default {','.join(JOBS)})"
    )
    parser.add_argument(
        "--cut-into", default=1, type=_pieces, metavar="N", help="for proofs: the loop folds each batch in N pieces"
    )
    parser.add_argument("--cut-seed", type=int, metavar="SEED", help="for proofs: in a random number of pieces")
    parser.add_argument("--worker", default="archive", metavar="NAME", help="the archive's name in progress")
    add_log_arguments(parser)


def _add_decision(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_decision)
    parser.add_argument("event_id", metavar="EVENT_ID")
    parser.add_argument("--subject", required=True, help="the event's subject, such as its card")
    parser.add_argument("--space", required=True, help="what the names of topics and tables carry")
    parser.add_argument("--thrift", required=True, metavar="HOST:PORT", help="HBase's Thrift gateway")
    parser.add_argument("--reveal", action="store_true", help="needed: it prints what is sensitive, too")


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(Path(path) for path in text.split(",") if path)


def _jobs(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not set(names) <= set(JOBS):
        raise argparse.ArgumentTypeError(f"jobs are {' and '.join(JOBS)}")
    return names


def _pieces(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return int(text)


def _trigger(text: str) -> int:
    try:
        return milliseconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _run(options: argparse.Namespace) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    from fraudbrain_shared.scenario.problems import ScenarioError
    from fraudbrain_streaming.application import run
    from fraudbrain_streaming.hbase import StoreUnavailable
    from fraudbrain_streaming.jobs.archive.lake_table import AnotherTopic
    from fraudbrain_streaming.jobs.archive.query import LogBroken
    from fraudbrain_streaming.jobs.loop.query import InputBroken
    from fraudbrain_streaming.kafka import BrokerProblem
    from fraudbrain_streaming.settings import Settings

    _log_to_stderr(options)
    settings = Settings(
        scenario=options.scenario,
        space=options.space,
        bootstrap=options.bootstrap,
        thrift=options.thrift,
        lake=options.lake.absolute(),
        checkpoints=options.checkpoints.absolute(),
        jars=options.jars,
        worker=options.worker,
        jobs=options.jobs,
        cut_into=options.cut_into,
        cut_seed=options.cut_seed,
        trigger_ms=options.trigger,
        records_per_batch=options.records_per_batch,
    )
    try:
        return 0 if run(settings, stop) else FAILED
    except (ScenarioError, BrokerProblem, StoreUnavailable, AnotherTopic, LogBroken, InputBroken) as error:
        print(error, file=sys.stderr)
        return FAILED


def _log_to_stderr(options: argparse.Namespace) -> None:
    set_up(options.log_level, options.log_format, tier="streaming")
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # it tells of every connection that ends with the JVM


def _decision(options: argparse.Namespace) -> int:
    if not options.reveal:
        print("This prints sensitive fields: give --reveal, or ask `fraudbrain decisions get`.", file=sys.stderr)
        return UNAVAILABLE
    from fraudbrain_streaming.decision_lookup import decision_json
    from fraudbrain_streaming.hbase import StoreUnavailable

    try:
        found = decision_json(options.thrift, options.space, options.subject, options.event_id)
    except StoreUnavailable as error:
        print(error, file=sys.stderr)
        return UNAVAILABLE
    if found is None:
        print(f"no event {options.event_id} of {options.subject} in the space {options.space}", file=sys.stderr)
        return NOT_FOUND
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
