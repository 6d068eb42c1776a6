import argparse
from pathlib import Path

import msgspec
import pytest

from fraudbrain_deploy import doctor
from fraudbrain_deploy.doctor import Finding
from fraudbrain_deploy.stack import StackSettings, free_port_block
from fraudbrain_deploy.stack.settings import save_settings

HERE = Path("/here")


@pytest.mark.parametrize(
    "finding",
    [
        doctor.python_finding((3, 11)),
        doctor.platform_finding("linux", "x86_64"),
        doctor.packages_finding([], None),
        doctor.java_finding(None, HERE),
        doctor.java_finding(HERE, None),
        doctor.redis_finding("/usr/bin/redis-server"),
        doctor.ports_finding([]),
        doctor.disk_finding(HERE, 5_000_000_000),
        doctor.memory_finding(6_000_000_000),
        doctor.jars_finding(0, None),
        doctor.jars_finding(3, None),
    ],
)
def test_what_is_well_needs_no_remedy(finding: Finding) -> None:
    assert (finding.state, finding.remedy) == ("ok", "")


@pytest.mark.parametrize(
    ("finding", "remedy"),
    [
        (doctor.python_finding((3, 10)), "Python 3.11 or newer"),
        (doctor.platform_finding("darwin", "arm64"), "Linux machine"),
        (doctor.packages_finding(["mlflow"], False), "proxy"),
        (doctor.packages_finding(["mlflow"], None), "make bootstrap"),
        (doctor.java_finding(None, None), "apt install openjdk-17"),
        (doctor.redis_finding(None), "apt install redis-server"),
        (doctor.ports_finding(["Port 9092 (kafka) is held by java (pid 7)."]), "--port-base"),
        (doctor.disk_finding(HERE, 4_900_000_000), "--data"),
        (doctor.jars_finding(3, "the Maven repository cannot be asked: timed out"), "fetch --from"),
    ],
)
def test_a_problem_comes_with_its_remedy(finding: Finding, remedy: str) -> None:
    assert finding.state == "problem"
    assert remedy in finding.remedy


@pytest.mark.parametrize("finding", [doctor.platform_finding("linux", "aarch64"), doctor.memory_finding(5_900_000_000)])
def test_a_warning_has_a_remedy_too(finding: Finding) -> None:
    assert finding.state == "warning" and finding.remedy


def test_on_aarch64_the_two_programs_to_install_are_named() -> None:
    assert "openjdk-17-jre-headless redis-server" in doctor.platform_finding("linux", "aarch64").remedy


@pytest.mark.parametrize(("states", "code"), [(("ok", "warning"), 0), (("ok", "problem"), 1)])
def test_only_problems_block(
    states: tuple[str, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    findings = [Finding("disk", state, "detail", "remedy") for state in states]
    monkeypatch.setattr(doctor, "examine", lambda _: findings)
    assert doctor.run(argparse.Namespace(data=tmp_path, json=True)) == code
    assert msgspec.json.decode(capsys.readouterr().out, type=list[Finding]) == findings
    assert doctor.run(argparse.Namespace(data=tmp_path, json=False)) == code
    assert "remedy" in capsys.readouterr().out


def test_this_machine_can_be_examined_without_touching_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_unreachable", lambda _: None)
    data = tmp_path / "a" / "b"
    findings = doctor.examine(StackSettings(data=data, ports=free_port_block()))
    assert [finding.check for finding in findings] == [
        "python", "platform", "packages", "java", "redis", "ports", "disk", "memory", "jars",
    ]  # fmt: skip
    assert not data.exists()


def test_the_ports_of_the_last_up_are_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = StackSettings(data=tmp_path, ports=free_port_block())
    save_settings(settings)
    examined: list[StackSettings] = []

    def examine(settings: StackSettings) -> list[Finding]:
        examined.append(settings)
        return []

    monkeypatch.setattr(doctor, "examine", examine)
    doctor.run(argparse.Namespace(data=tmp_path, json=False))
    assert examined == [settings]
