import argparse
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from fraudbrain_deploy import __main__ as command
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.stack.errors import StackError

HEAVY = {"confluent_kafka", "happybase", "mlflow", "numba", "numpy", "pyarrow", "redis", "rich"}


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A command `doctor` that notes its arguments and does what the test wants."""
    module = SimpleNamespace(seen=None, answer=0)

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("go").add_argument("--rate", type=float)

    def run(arguments: argparse.Namespace) -> int:
        module.seen = arguments
        if isinstance(module.answer, BaseException):
            raise module.answer
        return int(module.answer)

    module.add_arguments, module.run = add_arguments, run
    monkeypatch.setattr(command, "import_module", lambda _: module)
    return module


def test_every_command_of_the_table_exists() -> None:
    for row in command.COMMANDS:
        assert find_spec(f"fraudbrain_deploy.{row.module}"), row


@pytest.mark.parametrize("name", [None, *(row.name for row in command.COMMANDS)])
def test_help_imports_nothing_heavy(name: str | None) -> None:
    arguments = ["--help"] if name is None else [name, "--help"]
    program = (
        "import sys\nfrom fraudbrain_deploy.__main__ import main\n"
        f"try: main({arguments})\nexcept SystemExit as end: assert end.code == 0\n"
        f"print('heavy:', *sorted({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["heavy:"], done.stdout + done.stderr


@pytest.mark.parametrize(
    "argv",
    [
        ["--data", "/d", "doctor", "go", "--rate", "2"],
        ["doctor", "--data", "/d", "go", "--rate", "2"],
        ["doctor", "go", "--rate", "2", "--data=/d"],
        ["doctor", "go", "--data", "/d", "--rate=2"],
    ],
)
def test_data_is_understood_anywhere(probe: SimpleNamespace, argv: list[str]) -> None:
    assert command.main(argv) == 0
    assert (probe.seen.data, probe.seen.action, probe.seen.rate) == (Path("/d"), "go", 2.0)


def test_data_is_absolute_and_comes_from_the_environment(
    probe: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRAUDBRAIN_HOME", "elsewhere")
    command.main(["doctor", "go"])
    assert probe.seen.data == tmp_path / "elsewhere"
    monkeypatch.delenv("FRAUDBRAIN_HOME")
    command.main(["doctor", "go"])
    assert probe.seen.data == tmp_path / ".fraudbrain"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UserError("The space is gone.", "Create it."), "fraudbrain: The space is gone.\nCreate it.\n"),
        (StackError("Port 9092 is held."), "fraudbrain: Port 9092 is held.\n"),
    ],
)
def test_a_known_error_is_told_without_traceback(
    probe: SimpleNamespace, capsys: pytest.CaptureFixture[str], error: Exception, told: str
) -> None:
    probe.answer = error
    assert command.main(["doctor", "go"]) == 2
    assert capsys.readouterr() == ("", told)


def test_an_unknown_error_is_not_hidden(probe: SimpleNamespace) -> None:
    probe.answer = ZeroDivisionError("a defect")
    with pytest.raises(ZeroDivisionError):
        command.main(["doctor", "go"])


def test_interruption_is_quiet(probe: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    probe.answer = KeyboardInterrupt()
    assert command.main(["doctor", "go"]) == 130
    assert capsys.readouterr() == ("", "")


def test_an_unknown_command_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["dcotor"])
    assert "doctor" in capsys.readouterr().err
