"""`fraudbrain demo`: see the whole platform run on this machine."""

import argparse
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fraudbrain_deploy.demo_report import Answer, DemoReport

SPACE = "cards"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.description = (
        "Brings up Kafka, HBase and MLflow, starts the fast and the slow tier, replays a simulated history of card "
        "payments day by day, trains a model that goes live, sends an attack and a legitimate rush, then payments at "
        f"full rate, and accounts for every one. The space `{SPACE}` is emptied first. Everything is "
        "stopped at the end, also by Ctrl-C at any time; the data stay. Exit code 1: the books do not balance."
    )
    parser.add_argument(
        "--events-per-s", type=_positive, default=500.0, metavar="N", help="at full rate (default: 500)"
    )
    parser.add_argument("--seconds", type=_positive, default=60.0, metavar="N", help="at that rate (default: 60)")
    parser.add_argument("--keep-running", action="store_true", help="stop only at Ctrl-C, to look around before")


def run(arguments: argparse.Namespace) -> int:
    """Runs the demo; 0 if its books balance, else 1."""
    from fraudbrain_deploy.demo import Wishes, demonstration
    from fraudbrain_deploy.deployment import open_deployment
    from fraudbrain_deploy.stack import choose_settings
    from fraudbrain_deploy.steps import Steps

    arguments.scenario, arguments.space = "cards", SPACE
    deployment = replace(open_deployment(arguments), stack=choose_settings(arguments.data))
    wishes = Wishes(events_per_s=arguments.events_per_s, live_s=arguments.seconds)
    with demonstration(deployment, wishes, Steps()) as report:
        file = _write(report, arguments.data / "demo" / "report.json")
        if arguments.keep_running:
            _wait_for_interruption()
    print(_page(report), _next_commands(report, file), sep="\n")
    return 0 if report.balanced else 1


def _wait_for_interruption() -> None:
    print("\nEverything is still running. Look around from another terminal; Ctrl-C stops it.", flush=True)
    with suppress(KeyboardInterrupt):
        signal.pause()


def _write(report: "DemoReport", file: Path) -> Path:
    import msgspec

    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    return file


def _page(report: "DemoReport") -> str:
    """What the demo found, for people."""
    latency, live = report.latency_ms, report.live
    rows = [
        ("events", f"{report.events:,}"),
        ("= decisions", f"{report.decisions:,}   ({_outcomes(report)})"),
        ("+ folded", f"{report.folded:,}"),
        ("+ duplicates", f"{report.duplicates:,}"),
        ("+ dead letters", f"{report.dead_letters:,}"),
        ("+ missing", f"{report.missing:,}"),
        ("degraded", f"{report.degraded:,}"),
        ("labels", f"{report.labels:,}"),
        ("history", f"{report.history_events:,} events at {report.history_events_per_s:,.0f}/s"),
        ("live", f"{report.live_events:,} events at {report.live_events_per_s:,.0f}/s"),
        ("latency", f"p50 {latency.p50:.1f} ms, p99 {latency.p99:.1f} ms, end to end" if latency else "not measured"),
        ("moves", f"{report.moves:,} of parameters; {live.changed_by_parameters:,} live decisions changed by them"),
        ("models", f"{', '.join(report.releases) or 'none'}; {live.changed_by_model:,} live decisions changed by it"),
        ("precision", _precision(report)),
        ("attack", _answer(live.attack)),
        (
            "",
            f"{live.attack.stopped:,} of its {live.attack.payments:,} payments stopped; of as sudden a rush of "
            f"{live.attack.rush_payments:,} good ones {live.attack.rush_stopped:,}",
        ),
        ("peak memory", f"{report.peak_memory_bytes / 1e9:.1f} GB, all processes together"),
        ("time", f"{sum(report.seconds.values()):.0f} s"),
    ]
    return "\n".join(["", *(f"  {name:<15} {value}" for name, value in rows), "", report.verdict, "", _SEEN])


def _answer(attack: "Answer") -> str:
    """How long each part of the answer took."""
    parts = ("published", attack.published_s), ("used", attack.used_s), ("a decision changed", attack.changed_s)
    told = ", ".join(f"{what} {'never' if after is None else f'after {after:.1f} s'}" for what, after in parts)
    return f"parameter {told}, from its first payment"


def _precision(report: "DemoReport") -> str:
    found = report.live.average_precision
    if found is None:
        return "not measured"
    rules, model = (("–" if each is None else f"{each:.3f}") for each in (found.rules_only, found.with_model))
    return f"average over {found.labelled:,} live payments, {found.frauds:,} frauds: rules {rules}, model {model}"


_SEEN = """\
What you have just seen: a fast tier that decided every payment from its card's own history; a slow tier that
watched all terminals, learnt from late labels, and moved a parameter when one was stormed; a model that was
trained on what they had logged, and went live without a restart; and the proof, offset by offset, that
nothing was lost on the way."""


def _outcomes(report: "DemoReport") -> str:
    return ", ".join(f"{name} {count:,}" for name, count in report.outcomes.items())


def _next_commands(report: "DemoReport", file: Path) -> str:
    lines = [f"\nThe whole report: {file}", "", "Next, after `fraudbrain stack up`:"]
    if report.example:
        subject, event_id = report.example
        lines.append(f"  fraudbrain decisions get {event_id} --subject {subject}      why was this one not approved?")
    lines += [
        "  fraudbrain decisions reconcile      count the books again",
        "  fraudbrain scenario show cards      what is read, folded and derived",
        "  fraudbrain demo --keep-running      and look around while it lives",
    ]
    return "\n".join(lines)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"a number above 0, not {text}")
    return number
