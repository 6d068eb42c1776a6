"""`fraudbrain simulate`: makes events with labels and the truth behind them, in files."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from fraudbrain_deploy.options import natural

SETTINGS_BY_OPTION = {
    "start": "start",
    "days": "days",
    "customers": "customers.count",
    "terminals": "terminals.count",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the businesses and their options."""
    businesses = parser.add_subparsers(dest="business", required=True, metavar="BUSINESS")
    cards = businesses.add_parser(
        "cards",
        help="card payments with several habits of fraud",
        description="Card payments: customers pay at terminals near home; cards are stolen or copied, terminals "
        "compromised, numbers tried out; attack waves and legitimate rushes come at set times. "
        "The same seed and settings give the same files.",
    )
    cards.add_argument("--out", type=Path, metavar="DIR", help="folder for events, labels, truth and simulation.json")
    cards.add_argument("--seed", type=natural, default=1, metavar="N", help="default 1")
    cards.add_argument("--start", metavar="DATE", help="the first day, such as 2026-01-05")
    cards.add_argument("--days", type=int, metavar="N")
    cards.add_argument("--customers", type=int, metavar="N")
    cards.add_argument("--terminals", type=int, metavar="N")
    cards.add_argument("--settings", type=Path, metavar="FILE.toml", help="replaces the defaults that it names")
    cards.add_argument("--print-settings", action="store_true", help="print all settings with their defaults as TOML")
    cards.add_argument("--json", action="store_true", help="print simulation.json when done")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; 0 when the files stand, 2 when the settings cannot be used."""
    from fraudbrain_deploy.simulation import cards

    if arguments.print_settings:
        print(cards.describe(), end="")
        return 0
    if arguments.out is None:
        print("simulate: say where to write with --out DIR", file=sys.stderr)
        return 2
    try:
        settings = cards.settings_from(arguments.settings, _overrides(arguments))
    except cards.SettingsError as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 2
    return _simulate(settings, arguments)


def _overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    given = vars(arguments)
    return {path: given[option] for option, path in SETTINGS_BY_OPTION.items() if given[option] is not None}


def _simulate(settings: Any, arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from fraudbrain_deploy.simulation import cards, files

    console = Console(stderr=True)
    began = time.monotonic()
    with console.status("simulating") as status:

        def told(stage: str, share: float) -> None:
            status.update(f"simulating: {stage}{f' {share:.0%}' if share else ''}")

        simulated = cards.simulate(settings, arguments.seed, told)
        told("writing", 0.0)
        story = files.write(simulated, arguments.out, settings=settings, seed=arguments.seed)
    took_s = time.monotonic() - began
    if arguments.json:
        print((arguments.out / "simulation.json").read_text(encoding="utf-8"), end="")
    else:
        console.print(
            f"{story['events']:,} events, {story['fraud']:,} of them fraud, in {arguments.out} ({took_s:.1f} s)",
            highlight=False,
        )
    return 0
