"""`fraudbrain stack`: the local Kafka, HBase, Redis and MLflow, without Docker and without root."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from fraudbrain_deploy.stack import (
    ALL,
    PartStatus,
    Progress,
    StackSettings,
    choose_settings,
    down,
    jars,
    load_settings,
    status,
    up,
)
from fraudbrain_deploy.stack.display import display
from fraudbrain_deploy.stack.errors import StackError
from fraudbrain_deploy.stack.lifecycle import UP_TIMEOUT_S, last_lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of `fraudbrain stack`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_up(actions.add_parser("up", help="start what does not run and wait until it is ready"))
    _add_parts(actions.add_parser("down", help="stop the stack; its data stay"))
    _add_json(actions.add_parser("status", help="show each part; exit code 0 only if all are ready"))
    _add_logs(actions.add_parser("logs", help="print the end of a part's log"))
    _add_fetch(
        actions.add_parser("fetch", help="fetch the Java parts ahead, or carry them to a machine without internet")
    )
    actions.add_parser("relock", help="for developers: rewrite the list of jars from the poms with Maven")


def run(arguments: argparse.Namespace) -> int:
    """Carry out an action; the exit code. What goes wrong is raised as StackError."""
    return _ACTIONS[arguments.action](arguments)


def _add_up(parser: argparse.ArgumentParser) -> None:
    _add_parts(parser)
    parser.add_argument("--port-base", type=int, metavar="N", help="use the consecutive ports from N on")
    parser.add_argument(
        "--timeout",
        dest="timeout_s",
        type=float,
        default=UP_TIMEOUT_S,
        metavar="SECONDS",
        help="until all is ready; default: %(default)s",
    )


def _add_parts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"default: all of {', '.join(ALL)}; hbase and thrift go together"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _add_logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("part", choices=ALL)
    parser.add_argument("-n", dest="lines", type=int, default=50, metavar="N", help="how many lines; default: 50")
    parser.add_argument("--follow", action="store_true", help="go on printing until Ctrl-C")


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--to", type=Path, metavar="DIR", help="also write all jars into this folder")
    way.add_argument("--from", dest="source", type=Path, metavar="DIR", help="take all jars from such a folder")


def _up(arguments: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # being ended cleans up like Ctrl-C
    settings = choose_settings(arguments.data, arguments.port_base)
    try:
        with display() as show:
            up(settings, arguments.parts or ALL, show, arguments.timeout_s)
    except KeyboardInterrupt:
        print("Interrupted. What this call had started is stopped.", file=sys.stderr)
        raise
    _print_addresses(settings, arguments.parts or ALL)
    return 0


def _print_addresses(settings: StackSettings, parts: Sequence[str]) -> None:
    host, port = settings.thrift_address
    addresses = {
        "kafka": settings.kafka_bootstrap,
        "hbase": f"{host}:{port} (Thrift)",
        "redis": settings.redis_url,
        "mlflow": settings.mlflow_url,
    }
    for part, address in addresses.items():
        if part in parts:
            print(f"{part:<7} {address}")


def _down(arguments: argparse.Namespace) -> int:
    with display() as show:
        down(load_settings(arguments.data), arguments.parts or ALL, show)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    found = status(load_settings(arguments.data))
    print(msgspec.json.format(msgspec.json.encode(found)).decode() if arguments.json else _table(found))
    return 0 if all(part.ready for part in found) else 1


def _table(found: Sequence[PartStatus]) -> str:
    return "\n".join([_row("part", "state", "ready", "pid", "port", "memory", "uptime"), *map(_part_row, found)])


def _part_row(part: PartStatus) -> str:
    ready, pid = "yes" if part.ready else "no", str(part.pid or "-")
    memory, uptime = f"{part.memory_bytes / 1e6:.0f} MB", _duration(part.uptime_s)
    reason = f"  {part.reason}" if part.pid and part.reason else ""
    return _row(part.part, part.state, ready, pid, str(part.port), memory, uptime) + reason


def _row(part: str, state: str, ready: str, pid: str, port: str, memory: str, uptime: str) -> str:
    return f"{part:<8}{state:<9}{ready:<7}{pid:>8}{port:>7}{memory:>9}{uptime:>10}"


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def _logs(arguments: argparse.Namespace) -> int:
    log = load_settings(arguments.data).logs / f"{arguments.part}.log"
    if not log.exists():
        raise StackError(f"There is no {log} yet. Run `fraudbrain stack up` first.")
    print("\n".join(last_lines(log, arguments.lines)), flush=True)
    if arguments.follow:
        _follow(log)
    return 0


def _follow(log: Path) -> None:
    """Print what is appended until Ctrl-C; begins anew when the log is rotated."""
    file = log.open(errors="replace")
    file.seek(0, 2)
    try:
        while True:
            if text := file.read():
                print(text, end="", flush=True)
            elif log.exists() and log.stat().st_ino != os.fstat(file.fileno()).st_ino:
                file.close()
                file = log.open(errors="replace")
            else:
                time.sleep(0.3)
    except KeyboardInterrupt:
        print()
    finally:
        file.close()


def _fetch(arguments: argparse.Namespace) -> int:
    wanted = jars.locked_jars()
    jars.discard_damaged(wanted)
    with display() as show:
        jars.fetch(
            wanted,
            lambda done, total: show(Progress(part="jars", state="fetching", done_bytes=done, total_bytes=total)),
            source=arguments.source,
        )
    if arguments.to:
        jars.export(arguments.to, wanted)
    size = sum(jar.size for jar in wanted) / 1e6
    print(f"{len(wanted)} jars, {size:.0f} MB, are in {arguments.to or jars.cache_folder()}.")
    return 0


def _relock(_: argparse.Namespace) -> int:
    for name, count in jars.relock().items():
        print(f"{name}: {count} jars")
    return 0


_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": _up, "down": _down, "status": _status, "logs": _logs, "fetch": _fetch, "relock": _relock,
}  # fmt: skip
