"""`fraudbrain replay`: a file of events through the whole platform, and the account of every one of them."""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fraudbrain_deploy.options import at_least_one
from fraudbrain_shared.scenario.durations import milliseconds

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment
    from fraudbrain_deploy.importing import EventSource
    from fraudbrain_deploy.replaying.loop_report import LoopReport
    from fraudbrain_deploy.replaying.pace import Pace
    from fraudbrain_deploy.replaying.report import ReplayReport
    from fraudbrain_deploy.replaying.stepping import Stepping
    from fraudbrain_deploy.tiers import Tier
    from fraudbrain_shared.scenario.description import Scenario

_PARTS = ("kafka", "hbase", "thrift")
_READY_S = 180.0
_LOOK_FOR_TIER_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("--scenario", default="cards", metavar="NAME|DIR", help="built-in or own (default: cards)")
    parser.add_argument(
        "--events",
        type=Path,
        required=True,
        metavar="PATH",
        help="a folder that `simulate` made, or a Parquet or CSV file, foreign ones by the scenario's import.toml",
    )
    parser.add_argument(
        "--pace",
        type=_pace,
        default=None,
        metavar="max|RATE|STEP",
        help="RATE: events a second, open loop; STEP: a duration as 1d, steps of event time, each after all tiers have "
        "done with the one before, so that a replay can be repeated exactly; max (default): all at once",
    )
    parser.add_argument(
        "--train",
        type=_train,
        metavar="DURATION|end|never",
        help="in steps: train a model each time so much event time has passed (default: as the scenario's model says), "
        "only at the end, or never",
    )
    parser.add_argument(
        "--label-delay",
        type=_duration_ms,
        metavar="DURATION",
        help="send a foreign file's labels too, known so long after their event, such as 7d",
    )
    space = parser.add_mutually_exclusive_group()
    space.add_argument(
        "--space", metavar="NAME", help="emptied and used for this replay (default: the scenario's name with -replay)"
    )
    space.add_argument(
        "--into", metavar="SPACE", help="replay into this living space: nothing is emptied, a running worker is used"
    )
    space.add_argument(
        "--in-process",
        action="store_true",
        help="decide here and now, without any server: rules and features only, in seconds",
    )
    parser.add_argument("--group", default="a", help="the fast tier's group (default: a)")
    parser.add_argument("--partitions", type=at_least_one, default=4, metavar="N", help="of a new space (default: 4)")
    parser.add_argument(
        "--with-slow", action="store_true", help="start the slow tier too, and wait for its archive; always in steps"
    )
    cut = parser.add_mutually_exclusive_group()
    cut.add_argument(
        "--cut-into", type=at_least_one, metavar="N", help="in steps: the slow tier cuts its batches in N (for proofs)"
    )
    cut.add_argument(
        "--cut-seed", type=int, metavar="N", help="in steps: the slow tier cuts its batches by chance (for proofs)"
    )
    parser.add_argument("--limit", type=at_least_one, metavar="N", help="only the first N events")
    parser.add_argument(
        "--duration", type=_duration_ms, metavar="DURATION", help="only so long at the given RATE, as 30s"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.parquet", help="each event's first decision")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="the report as JSON")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Runs the replay; 0 if nothing is missing, else 1."""
    from fraudbrain_deploy.deployment import open_deployment
    from fraudbrain_deploy.importing import event_stream

    if arguments.in_process:
        return _run_in_process(arguments)
    arguments.space = arguments.into or arguments.space
    deployment = open_deployment(arguments)
    if arguments.space is None:
        deployment = open_deployment(arguments, space=f"{deployment.scenario.name}-replay")
    limit = _limit(arguments)
    stepping = _stepping(deployment.scenario, arguments)
    source = event_stream(deployment.scenario, arguments.events, label_delay_ms=arguments.label_delay, limit=limit)
    report = _replay(deployment, source, stepping, arguments)
    _tell(report, arguments)
    return 0 if report.missing == 0 else 1


def _run_in_process(arguments: argparse.Namespace) -> int:
    from fraudbrain_deploy.errors import UserError
    from fraudbrain_deploy.importing import event_stream
    from fraudbrain_deploy.replaying.display import display
    from fraudbrain_deploy.replaying.in_process import replay_in_process
    from fraudbrain_shared.scenario.load import find_scenario, load_scenario

    served = ("pace", "train", "label_delay", "cut_into", "cut_seed", "duration")
    asked = [f"--{name.replace('_', '-')}" for name in served if getattr(arguments, name) is not None]
    if asked or arguments.with_slow:
        raise UserError(f"{' and '.join(asked or ['--with-slow'])} cannot be had with --in-process: there is no tier.")
    scenario = load_scenario(str(find_scenario(arguments.scenario).absolute()))
    source = event_stream(scenario, arguments.events, limit=arguments.limit)
    report = replay_in_process(scenario, source, out=arguments.out, screen=display(source.events))
    _tell(report, arguments)
    return 0


def _replay(
    deployment: "Deployment", source: "EventSource", stepping: "Stepping | None", arguments: argparse.Namespace
) -> "ReplayReport":
    from fraudbrain_deploy.replay import replay
    from fraudbrain_deploy.replaying.display import display

    with _running(deployment, stepping, arguments) as (fast, slow):
        return replay(
            deployment,
            source,
            rate=_rate(arguments.pace),
            stepping=stepping,
            out=arguments.out,
            group=arguments.group,
            tiers=fast,
            slow=slow,
            display=display(source.events),
        )


@contextmanager
def _running(
    deployment: "Deployment", stepping: "Stepping | None", arguments: argparse.Namespace
) -> "Iterator[tuple[list[Tier], Tier | None]]":
    """What the replay needs, running: the tiers that were started here. They, and all else started, stop at the end."""
    from fraudbrain_deploy import spaces
    from fraudbrain_deploy.tiers import LOOP, start_realtime, start_streaming, stop_all, wait_ready

    with ExitStack() as ending:
        ending.enter_context(_stack(deployment, (*_PARTS, "mlflow") if stepping and stepping.trains else _PARTS))
        if not arguments.into:
            spaces.drop(deployment)
        spaces.create(deployment, _partitions(deployment, arguments))
        started: list[Tier] = []
        ending.callback(stop_all, started)
        if not (arguments.into and _is_running(deployment, f"realtime|{arguments.group}|")):
            started.append(start_realtime(deployment, group=arguments.group))
        wants_slow = arguments.with_slow or (stepping and not (arguments.into and _is_running(deployment, LOOP)))
        slow = start_streaming(deployment, _slow_options(stepping, arguments)) if wants_slow else None
        if slow:
            started.append(slow)
        wait_ready(deployment, started, _READY_S)
        yield [tier for tier in started if tier is not slow], slow


@contextmanager
def _stack(deployment: "Deployment", parts: Sequence[str]) -> Iterator[None]:
    """The parts that a replay needs; those that had to be brought up go down again at the end."""
    from fraudbrain_deploy.stack import down, status, up
    from fraudbrain_deploy.stack.display import display

    missing = [part.part for part in status(deployment.stack, parts) if not part.ready]
    if not missing:
        yield
        return
    with display() as show:
        up(deployment.stack, missing, show)
    try:
        yield
    finally:
        with display() as show:
            down(deployment.stack, missing, show)


def _partitions(deployment: "Deployment", arguments: argparse.Namespace) -> int:
    """Of a space that lives: as many as it has."""
    from fraudbrain_deploy import kafka

    there = kafka.topic_partitions(deployment.stack.kafka_bootstrap, deployment.names.topic("events"))
    return len(there) or int(arguments.partitions)


def _is_running(deployment: "Deployment", key_prefix: str) -> bool:
    """Whether such a tier said within the last seconds that it is ready; each says so every second or so."""
    from fraudbrain_deploy.progress import ProgressReader

    now_ms = time.time() * 1000
    deadline = time.monotonic() + _LOOK_FOR_TIER_S
    with ProgressReader(deployment) as progress:
        while time.monotonic() < deadline:
            for key, record, append_ms in progress.poll(0.5):
                if key.startswith(key_prefix) and record.ready and append_ms > now_ms - 1_000:
                    return True
    return False


def _stepping(scenario: "Scenario", arguments: argparse.Namespace) -> "Stepping | None":
    """What --pace and --train say of steps; None for another pace. Raises UserError where they do not fit."""
    from fraudbrain_deploy.errors import UserError
    from fraudbrain_deploy.replaying.pace import InSteps, refuse_long_steps
    from fraudbrain_deploy.replaying.stepping import Stepping

    if not isinstance(arguments.pace, InSteps):
        if any(each is not None for each in (arguments.train, arguments.cut_into, arguments.cut_seed)):
            raise UserError("--train, --cut-into and --cut-seed need a --pace of steps.", "Use for example --pace 1d.")
        return None
    refuse_long_steps(scenario, arguments.pace.length_ms)
    wish = arguments.train
    if scenario.model is None and wish not in (None, "never"):
        raise UserError(f"The scenario {scenario.name} describes no model to train.", "It would stand in model.toml.")
    every_ms = wish if isinstance(wish, int) else None
    if wish is None and scenario.model is not None:
        every_ms = scenario.model.retrain_every_ms
    return Stepping(arguments.pace.length_ms, every_ms, at_end=wish == "end")


def _slow_options(stepping: "Stepping | None", arguments: argparse.Namespace) -> list[str]:
    """How the slow tier is to read: in steps everybody waits for it, so it looks more often for what has come."""
    options = ["--trigger", "200ms"] if stepping else []
    if arguments.cut_into is not None:
        options += ["--cut-into", str(arguments.cut_into)]
    if arguments.cut_seed is not None:
        options += ["--cut-seed", str(arguments.cut_seed)]
    return options


def _limit(arguments: argparse.Namespace) -> int | None:
    """How many events at most, by --limit and --duration."""
    from fraudbrain_deploy.errors import UserError

    limit = None if arguments.limit is None else int(arguments.limit)
    if arguments.duration is None:
        return limit
    rate = _rate(arguments.pace)
    if rate is None:
        raise UserError("--duration needs a --pace of so many events a second.", "Otherwise use --limit.")
    within = max(1, round(rate * int(arguments.duration) / 1000))
    return within if limit is None else min(within, limit)


def _rate(pace: "Pace") -> float | None:
    from fraudbrain_deploy.replaying.pace import AtRate

    return pace.events_per_s if isinstance(pace, AtRate) else None


def _pace(text: str) -> "Pace":
    from fraudbrain_deploy.replaying.pace import pace_from

    try:
        return pace_from(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _train(text: str) -> int | str:
    return text if text in ("end", "never") else _duration_ms(text)


def _duration_ms(text: str) -> int:
    try:
        return milliseconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _tell(report: "ReplayReport", arguments: argparse.Namespace) -> None:
    import msgspec

    written = msgspec.json.format(msgspec.json.encode(report))
    if arguments.report is not None:
        arguments.report.parent.mkdir(parents=True, exist_ok=True)
        arguments.report.write_bytes(written + b"\n")
    if arguments.json:
        print(written.decode())
        return
    print(_summary(report))


def _summary(report: "ReplayReport") -> str:
    lines = [
        f"{report.rows:,} rows of {report.source}: {report.events:,} events, {report.mapping:,} not mapped",
        f"{report.events:,} events = {report.decisions:,} decisions + {report.folded:,} folded "
        f"+ {report.duplicates:,} duplicates + {report.dead_letters:,} dead letters + {report.missing:,} missing",
        f"{report.degraded:,} degraded; " + ", ".join(f"{name} {count:,}" for name, count in report.outcomes.items()),
        f"{report.events_per_s:,.0f} events/s; {report.seconds:.1f} s from the first event to the last decision, "
        f"{report.minutes:.1f} minutes in all",
    ]
    if took := report.latency_ms:
        lines.append(f"latency end to end: p50 {took.p50:.1f}, p99 {took.p99:.1f}, max {took.max:.1f} ms")
    if report.loop:
        lines += loop_lines(report.loop)
    return "\n".join([*lines, report.verdict])


def loop_lines(loop: "LoopReport") -> list[str]:
    """What the closed loop did, for people."""
    lines = [
        f"{loop.steps:,} steps; {loop.moves:,} moves of parameters, {loop.entities_moved:,} entities moved; "
        f"{len(loop.releases)} model releases: {', '.join(loop.releases) or 'none'}",
        f"{loop.changed_by_parameters:,} decisions changed by parameters, {loop.changed_by_model:,} by the model "
        f"({loop.scored:,} were scored); {loop.not_reproduced:,} not reproduced from what they logged",
    ]
    if found := loop.average_precision:
        rules, model = (("–" if each is None else f"{each:.3f}") for each in (found.rules_only, found.with_model))
        lines.append(
            f"average precision on {found.labelled:,} labelled events, {found.frauds:,} frauds: rules only {rules}, "
            f"with the model {model}"
        )
    told = loop.digests
    lines.append(f"digests: decisions {told.decisions[:16]}, moves {told.moves[:16]}, models {told.models[:16]}")
    return lines
