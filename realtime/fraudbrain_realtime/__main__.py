"""The command of the fast tier: `python -m fraudbrain_realtime run …` is one worker."""

import argparse
import logging
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from fraudbrain_realtime.limits import Limits
from fraudbrain_realtime.settings import Settings
from fraudbrain_shared.logs import add_log_arguments, set_up


def main() -> int:
    """Runs the command line's command; returns the process's exit code."""
    arguments = _parser().parse_args()
    set_up(arguments.log_level, arguments.log_format, tier="realtime", **_named(arguments))
    command: Callable[[argparse.Namespace], int] = arguments.command
    return command(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fraudbrain_realtime", description="The fast tier of fraudbrain.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run", help="decide events until told to stop", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    run.set_defaults(command=lambda arguments: _run(_settings(arguments)))
    run.add_argument("--scenario", required=True, help="a built-in scenario's name or a scenario folder")
    run.add_argument("--space", required=True, help="the deployment's name, as in fraudbrain.SPACE.events")
    run.add_argument("--bootstrap", default="127.0.0.1:9092", help="host:port of a Kafka broker")
    run.add_argument("--thrift", default="127.0.0.1:9090", help="host:port of HBase's Thrift gateway")
    run.add_argument(
        "--redis", type=_redis_url, metavar="URL", help="also tell decisions there by event id: redis://host:port/0"
    )
    run.add_argument("--group", default="a", help="workers of one group share the partitions")
    run.add_argument("--worker", default=f"w{os.getpid()}", help="this worker's name, unique in its group")
    run.add_argument(
        "--state-dir", type=Path, default=_state_folder(), help="where workers note what must outlive them"
    )
    run.add_argument(
        "--metrics-port",
        type=int,
        metavar="N",
        help="show /metrics, /health and /ready at this port; 0: at any free one, told on the topic of progress",
    )
    run.add_argument("--metrics-host", default=Settings.metrics_host, help="at this address")
    run.add_argument(
        "--snapshot-max-age-s",
        type=float,
        default=Settings.snapshot_max_age_s,
        help="older controls than that are not started with while their topics do not answer",
    )
    run.add_argument(
        "--most-entities",
        type=int,
        default=Settings.most_entities,
        help="of which context is kept, and as many of which parameters are",
    )
    run.add_argument(
        "--flush-interval-s", type=float, default=Limits.flush_interval_s, help="between two flushes of profiles"
    )
    run.add_argument(
        "--load-timeout-s",
        type=float,
        default=Limits.load_timeout_s,
        help="how long an event waits for its profile before it is decided without",
    )
    run.add_argument("--profiles", type=int, metavar="N", default=Limits.profiles, help="profiles held in memory")
    run.add_argument(
        "--held",
        type=int,
        metavar="N",
        default=Limits.held,
        help="events decided without their profile at which no more are taken until the store is back",
    )
    bench = commands.add_parser(
        "bench-controls", help="measure what controls cost a worker: memory, time to ready, time to open"
    )
    bench.set_defaults(command=_bench_controls)
    bench.add_argument("--scenario", default="cards", help="a built-in scenario's name or a scenario folder (cards)")
    bench.add_argument("--entities", type=int, default=1_000_000, metavar="N", help="how many are known (1,000,000)")
    bench.add_argument("--json", action="store_true", help="the figures as JSON")
    for each in (run, bench):
        add_log_arguments(each)
    return parser


def _named(arguments: argparse.Namespace) -> dict[str, str]:
    """Who logs, where somebody asks for several at once."""
    return {name: getattr(arguments, name) for name in ("space", "group", "worker") if name in arguments}


def _state_folder() -> Path:
    """Where programs of this platform keep what they know from one run to the next."""
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/fraudbrain"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "fraudbrain"


def _redis_url(text: str) -> str:
    """The URL itself. What is wrong with it is said without it: it may hold a password."""
    try:
        found = urlsplit(text)
        is_one = found.scheme in {"redis", "rediss"} and found.hostname and (found.port or True)
    except ValueError:
        is_one = False
    if not is_one or not re.fullmatch(r"(/\d*)?", found.path):
        raise argparse.ArgumentTypeError("a URL such as redis://host:6379/0, with a host, and rediss:// for TLS")
    return text


def _settings(arguments: argparse.Namespace) -> Settings:
    host, _, port = arguments.thrift.rpartition(":")
    return Settings(
        scenario=arguments.scenario,
        space=arguments.space,
        bootstrap=arguments.bootstrap,
        thrift_host=host,
        thrift_port=int(port),
        group=arguments.group,
        worker=arguments.worker,
        state_dir=arguments.state_dir,
        snapshot_max_age_s=arguments.snapshot_max_age_s,
        most_entities=arguments.most_entities,
        redis=arguments.redis,
        metrics_host=arguments.metrics_host,
        metrics_port=arguments.metrics_port,
        log_level=arguments.log_level,
        log_format=arguments.log_format,
        limits=Limits(
            flush_interval_s=arguments.flush_interval_s,
            load_timeout_s=arguments.load_timeout_s,
            profiles=arguments.profiles,
            held=arguments.held,
        ),
    )


def _bench_controls(arguments: argparse.Namespace) -> int:
    import msgspec

    from fraudbrain_realtime.controls.bench import measure, page
    from fraudbrain_shared.scenario import ScenarioError, load_scenario

    try:
        costs = measure(load_scenario(arguments.scenario), max(1, arguments.entities))
    except ScenarioError as error:
        logging.getLogger("fraudbrain_realtime").error("%s", error)
        return 1
    print(msgspec.json.encode(costs).decode() if arguments.json else page(costs))
    return 0


def _run(settings: Settings) -> int:
    from fraudbrain_realtime.controls.feed import StepUnknown
    from fraudbrain_realtime.kafka.failure import BrokerFailed
    from fraudbrain_realtime.kafka.reachable import wait_for_broker
    from fraudbrain_realtime.ports import StoreUnavailable
    from fraudbrain_realtime.rows import WrongEpoch
    from fraudbrain_realtime.worker import Worker
    from fraudbrain_shared.scenario import ScenarioError

    stopping = _stop_on_signals()
    try:
        if wait_for_broker(settings.bootstrap, stopping):
            Worker(settings).run(stopping)
    except (ScenarioError, StoreUnavailable, BrokerFailed, WrongEpoch, StepUnknown) as error:
        logging.getLogger("fraudbrain_realtime").error("%s: %s", type(error).__name__, error)
        return 1
    return 0


def _stop_on_signals() -> "Stopping":
    stopping = Stopping()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopping.request)
    return stopping


class Stopping:
    """Whether somebody asked the process to stop."""

    def __init__(self) -> None:
        self._requested = False

    def request(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        self._requested = True

    def __call__(self) -> bool:
        return self._requested


if __name__ == "__main__":
    sys.exit(main())
