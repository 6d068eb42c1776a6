"""The offline tier's own command: `python -m fraudbrain_offline lake`."""

import argparse
import sys
from pathlib import Path

import msgspec


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    code: int = options.run(options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fraudbrain_offline", description="The offline tier of fraudbrain.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    lake = commands.add_parser("lake", help="show what the lake holds: rows, dates and distinct events by table")
    lake.add_argument("--lake", required=True, type=Path, metavar="DIR", help="folder of the lake's tables")
    lake.add_argument("--json", action="store_true", help="as JSON")
    lake.set_defaults(run=_lake)
    return parser


def _lake(options: argparse.Namespace) -> int:
    from fraudbrain_offline.lake import LakeUnreadable, summarize

    try:
        tables = summarize(options.lake)
    except LakeUnreadable as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(msgspec.json.encode(tables).decode())
        return 0
    print(f"{'table':13} {'rows':>12} {'first date':>11} {'last date':>11} {'distinct events':>16}")
    for name, table in tables.items():
        first, last = (str(day or "–") for day in (table.first_date, table.last_date))
        events = "–" if table.distinct_events is None else f"{table.distinct_events:,}"
        print(f"{name:13} {table.rows:>12,} {first:>11} {last:>11} {events:>16}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
