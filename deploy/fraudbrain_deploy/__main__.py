"""The `fraudbrain` command: one table of commands, each in a module that is imported when it is chosen.

A command's module has `add_arguments(parser)`, cheap and without heavy imports, and `run(arguments) -> int`.
Exit codes: 0 done; 1 done, and the answer is no; 2 could not be done; 130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from fraudbrain_deploy.interruption import interruptible


class Command(NamedTuple):
    """A row of the table. `module` is below this package; `help` is one line."""

    name: str
    module: str
    help: str


COMMANDS = (
    Command("doctor", "doctor", "check this machine; each problem comes with its remedy"),
    Command("stack", "stack.command", "the local Kafka, HBase, Redis and MLflow: up, down, status, logs, fetch"),
    Command("simulate", "simulate_command", "make up a history of events with frauds and late labels"),
    Command("replay", "replay_command", "send a file of events through the platform and collect its decisions"),
    Command("demo", "demo_command", "see it all run here, in a few minutes"),
    Command("scenario", "scenario_command", "show and deploy scenarios"),
    Command("epoch", "epoch_command", "which log and folds profiles belong to; fold the log again"),
    Command("rules", "rules_command", "check and publish rules"),
    Command("parameters", "parameters_command", "show the numbers that rules use, and how each came to be"),
    Command("models", "models_command", "list models, let one decide, roll back"),
    Command("decisions", "decisions_command", "look a decision up; prove that none is missing"),
    Command("dead-letters", "dead_letters_command", "what could not be decided, why, and another try"),
    Command("faults", "faults.command", "break things on purpose, and prove that nothing was lost"),
    Command("bench", "bench.command", "measure speed, beside what others reach in the same run"),
    Command("uninstall", "uninstall", "name and remove what fraudbrain keeps on this machine"),
)

_INTERRUPTED = 130
_DATA_HELP = "the platform's data folder (default: $FRAUDBRAIN_HOME, else .fraudbrain), before or after the command"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what a user can put right is told without traceback."""
    try:
        with interruptible():
            return _run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt as interrupt:
        if interrupt.__cause__ is not None:
            print(f"fraudbrain: stopped, but not in order: {interrupt.__cause__!r}", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except _known_errors() as error:
        print(f"fraudbrain: {error}", file=sys.stderr)
        return 2


def _run(argv: Sequence[str]) -> int:
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    common.add_argument("--data", type=Path, metavar="DIR", default=os.environ.get("FRAUDBRAIN_HOME") or ".fraudbrain")
    shared, rest = common.parse_known_args(argv)
    shared.data = shared.data.absolute()

    chosen = _main_parser().parse_args(rest)
    command = next(command for command in COMMANDS if command.name == chosen.command)
    module = import_module(f"fraudbrain_deploy.{command.module}")
    parser = argparse.ArgumentParser(
        prog=f"fraudbrain {command.name}",
        description=f"{command.help[0].upper()}{command.help[1:]}.",
        epilog=f"--data DIR: {_DATA_HELP}",
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(chosen.arguments, shared)))


def _main_parser() -> argparse.ArgumentParser:
    width = max(len(command.name) for command in COMMANDS)
    table = "\n".join(f"  {command.name:{width}}  {command.help}" for command in COMMANDS)
    parser = argparse.ArgumentParser(
        prog="fraudbrain",
        usage="fraudbrain [--data DIR] COMMAND …",
        description="A fraud platform that learns at three speeds.",
        epilog=f"commands:\n{table}\n\n`fraudbrain COMMAND --help` tells more about each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--data", metavar="DIR", help=_DATA_HELP)
    parser.add_argument("command", metavar="COMMAND", choices=[command.name for command in COMMANDS], help="see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _known_errors() -> tuple[type[Exception], ...]:
    """Called when something was raised: so nobody pays for these imports before."""
    from fraudbrain_deploy.errors import UserError
    from fraudbrain_deploy.stack.errors import StackError
    from fraudbrain_shared.scenario.problems import ScenarioError

    return (UserError, StackError, ScenarioError)


if __name__ == "__main__":
    sys.exit(main())
