"""Each import contract breaks when somebody breaks it, and is kept by the tree as it is."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SETTINGS = ROOT / "pyproject.toml"
MEMBERS = ["shared", "client", "realtime", "streaming", "offline", "deploy"]

# contract: files that break it, by the path below the packages
OFFENCES = [
    ("tiers", {"fraudbrain_realtime/planted.py": "import fraudbrain_streaming"}),
    ("tiers", {"fraudbrain_client/planted.py": "from fraudbrain_realtime import __doc__"}),
    ("tiers", {"fraudbrain_deploy/planted.py": "def late() -> None:\n    import fraudbrain_offline"}),
    ("shared-knows-no-tier", {"fraudbrain_shared/planted.py": "from fraudbrain_realtime import __doc__"}),
    ("shared-knows-no-client", {"fraudbrain_shared/planted.py": "import happybase"}),
    ("shared-knows-no-client", {"fraudbrain_shared/planted.py": "from pyarrow.parquet import read_table"}),
    ("core-is-pure", {"fraudbrain_shared/planted.py": "from time import monotonic"}),
    ("core-is-pure", {"fraudbrain_shared/planted.py": "def draw() -> None:\n    import random"}),
    ("clients-behind-adapters", {"fraudbrain_realtime/planted.py": "import confluent_kafka"}),
    ("clients-behind-adapters", {"fraudbrain_streaming/planted.py": "from pyspark.sql import SparkSession"}),
    (
        "judge-shares-no-code",
        {"fraudbrain_deploy/faults/checker/planted.py": "from fraudbrain_shared.admission import Admission"},
    ),
    (
        "judge-shares-no-code",
        {"fraudbrain_deploy/faults/checker/planted.py": "from fraudbrain_deploy import publication"},
    ),
    (
        "no-cycles",
        {
            "fraudbrain_shared/planted_a.py": "from fraudbrain_shared import planted_b",
            "fraudbrain_shared/planted_b.py": "from fraudbrain_shared import planted_a",
        },
    ),
]


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A copy of the packages, without their data."""

    def data(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if not Path(folder, name).is_dir() and not name.endswith(".py")]

    for member in MEMBERS:
        package = f"fraudbrain_{member}"
        shutil.copytree(ROOT / member / package, tmp_path / package, ignore=data)
    return tmp_path


def lint(packages: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "lint-imports"), "--no-logo", "--no-cache", *options, str(SETTINGS)]
    environment = os.environ | {"PYTHONPATH": str(packages)}
    return subprocess.run(command, cwd=packages, env=environment, check=False, capture_output=True, text=True)


def test_the_tree_keeps_all_contracts(packages: Path) -> None:
    done = lint(packages)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("contract", "files"), OFFENCES)
def test_contract_breaks_on_a_planted_import(packages: Path, contract: str, files: dict[str, str]) -> None:
    for path, text in files.items():
        (packages / path).write_text(text + "\n")
    done = lint(packages, "--contract", contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "0 kept, 1 broken" in done.stdout
    assert "planted" in done.stdout


def test_every_contract_has_an_offence() -> None:
    contracts = tomllib.loads(SETTINGS.read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == {contract for contract, _ in OFFENCES}


@pytest.mark.parametrize(
    ("path", "line", "rule"),
    [
        *(
            (f"{member}/fraudbrain_{member}/planted.py", f"import {bare}", "TID251")
            for member in MEMBERS
            for bare in MEMBERS
        ),
        ("shared/fraudbrain_shared/planted.py", "from datetime import datetime\n\nNOW = datetime.now()", "TID251"),
        ("shared/fraudbrain_shared/planted.py", "FILE = open('x')", "PTH123"),
        ("shared/fraudbrain_shared/planted.py", "RESULT = eval('1')", "S307"),
    ],
)
def test_lint_refuses_bare_folder_names_and_hidden_clocks(path: str, line: str, rule: str) -> None:
    command = [str(BIN / "ruff"), "check", "--output-format=concise", f"--stdin-filename={path}", "-"]
    done = subprocess.run(command, cwd=ROOT, input=line + "\n", check=False, capture_output=True, text=True)
    assert rule in done.stdout
